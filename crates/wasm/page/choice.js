// Choosing photo and painting: examples, a file, or one that is dropped.

/// One of the two pictures: `read(bytes, name)` is called with the file that was chosen last.
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
    this.#option(title, image, async () => {
      try {
        const response = await fetch(file);
        if (!response.ok) throw new Error(`the server says ${response.status}`);
        this.#read(await response.arrayBuffer(), file);
      } catch (error) {
        this.refuse(`${title} cannot be fetched: ${error.message}`);
      }
    });
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
    let bytes;
    const read = async () => {
      try {
        bytes ??= await file.arrayBuffer();
      } catch {
        return this.refuse(`${file.name} cannot be read: choose it again`);
      }
      // A copy, as the worker keeps what it is sent.
      this.#read(bytes.slice(0), file.name);
    };
    this.#own?.input.closest("label").remove();
    this.#own = this.#option(file.name, document.createElement("canvas"), read);
    this.#own.input.click();
  }
}
