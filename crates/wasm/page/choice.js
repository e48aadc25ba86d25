// Choosing photo and painting: examples, a file, or one that is dropped.

/// One of the two pictures: `read(name, bytes)` is called when one is chosen, with a function that gets its bytes or says in an error
/// why there are none.
export class Choice {
  #field;
  #examples;
  #problem;
  #read;
  #own;

  constructor(field, examples, read) {
    this.#field = field;
    this.#examples = field.querySelector(".examples");
    this.#problem = field.querySelector(".problem");
    this.#read = read;
    examples.forEach((example) => this.#add(example));
    const file = field.querySelector("input[type=file]");
    file.addEventListener("change", () => this.#take(file.files[0]));
    field.addEventListener("dragover", (event) => {
      event.preventDefault();
      field.classList.add("over");
    });
    field.addEventListener("dragleave", () => field.classList.remove("over"));
    field.addEventListener("drop", (event) => {
      event.preventDefault();
      field.classList.remove("over");
      this.#take(event.dataTransfer.files[0]);
    });
  }

  /// Chooses an example by its number.
  choose(index) {
    this.#examples.querySelectorAll("input")[index].click();
  }

  /// Shows a picture that was read from a file of the user's own.
  show({ width, height, rgba }) {
    this.#problem.hidden = true;
    if (!this.#own?.input.checked) return;
    this.#own.canvas.width = width;
    this.#own.canvas.height = height;
    this.#own.canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(rgba), width, height), 0, 0);
  }

  /// Says why a picture could not be had.
  refuse(message) {
    this.#problem.textContent = message;
    this.#problem.hidden = false;
  }

  /// An example: its name and its small picture.
  #add({ file, title }) {
    const image = document.createElement("img");
    image.src = file;
    image.alt = "";
    const bytes = async () => {
      const response = await fetch(file).catch(() => ({}));
      if (!response.ok) throw new Error(`${title} cannot be fetched: is the server still there?`);
      return response.arrayBuffer();
    };
    this.#option(title, image, () => this.#read(file, bytes));
  }

  #option(title, preview, chosen) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: this.#field.dataset.role });
    input.addEventListener("change", chosen);
    const name = document.createElement("span");
    name.textContent = title;
    label.append(input, preview, name);
    this.#examples.append(label);
    return { input, name, canvas: preview };
  }

  /// A file of the user's: it becomes an option beside the examples.
  #take(file) {
    if (!file) return;
    const bytes = () => file.arrayBuffer().catch(() => {
      throw new Error(`${file.name} cannot be read: choose it again`);
    });
    this.#own?.input.closest("label").remove();
    this.#own = this.#option(file.name, document.createElement("canvas"), () => this.#read(file.name, bytes));
    this.#own.input.click();
  }
}
