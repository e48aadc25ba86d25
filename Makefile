# Everything here needs Rust and make alone; `python`, `notebooks` and `recipes` also Python 3.10 or later, `mutants` Python 3.11 and
# cargo-mutants, `standard-problems` SciPy, `slurm` Slurm, `same-bytes` and `old-new` any Python 3, `bench-peers` Python with PyTorch,
# `wasm` and `page` node and a compiler for wasm32, `page-test` Chromium as well, `vgg19` curl and the internet.

CONTENT = examples/content/chelsea.png
STYLE   = examples/style/cafe_terrace.webp
OUT     = out/$(basename $(notdir $(CONTENT)))-$(basename $(notdir $(STYLE))).png

IMPASTO = cargo run --release --quiet --locked --bin impasto --

.PHONY: build run test check examples package python wheel wasm page page-test notebooks book book-pictures own-operation exercise \
    exercises in-the-wild mutants fuzz torture asan bench bench-peers standard-problems same-bytes old-new recipes slurm vgg19 clean

# The program: target/release/impasto.
build:
	cargo build --release --locked --bin impasto

# A photo in the style of a painting. Others: make run CONTENT=photo.jpg STYLE=painting.jpg OUT=picture.png
run: build
	mkdir -p $(dir $(OUT))
	$(IMPASTO) transfer $(CONTENT) $(STYLE) -o $(OUT)

# Checks and examples. What the system does not allow tests to do is said at the end.
LEFT_OUT = $(CURDIR)/target/left-out
test:
	@mkdir -p $(dir $(LEFT_OUT))
	@: > $(LEFT_OUT)
	IMPASTO_LEFT_OUT=$(LEFT_OUT) $(MAKE) check examples python
	@sort -u $(LEFT_OUT) | grep . || echo "Nothing was left out."

# Format, lints, build without the embedded weights, tests, docs. Warnings are errors.
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --workspace --all-targets --locked --no-default-features -- -D warnings
	cargo test --workspace --locked
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Every example, as it is. All are built at once, as the tests are: of one crate alone the crates it is built on would have other
# features, and be compiled anew.
TARGET = $(abspath $(or $(CARGO_TARGET_DIR),target))
examples:
	cargo build --quiet --locked --workspace --examples
	set -e; for example in crates/*/examples/*.rs; do $(TARGET)/debug/examples/$$(basename $$example .rs); done

# The Python package: its wheel, lints, types and tests, in an environment of its own.
python:
	crates/python/check.sh

# The wheel to give away, tried in a new virtual environment against the program: target/wheel.
wheel: build
	crates/python/wheel.sh

# The notebooks, executed at small size with the package that `python` has built; what they show is kept by
# make notebooks IMPASTO_NOTEBOOK_SIZE=128 WRITE=--write.
IMPASTO_NOTEBOOK_SIZE ?= 64
NOTEBOOK_VENV = $(TARGET)/python-venv/bin
notebooks:
	test -x $(NOTEBOOK_VENV)/python || $(MAKE) python
	$(NOTEBOOK_VENV)/python -m pip install --quiet --requirement examples/notebooks/requirements.txt
	IMPASTO_NOTEBOOK_SIZE=$(IMPASTO_NOTEBOOK_SIZE) $(NOTEBOOK_VENV)/python examples/notebooks/run.py $(WRITE)

# The test of an operation of somebody else, with impasto-proptest. It and the exercises share what they are built on.
OUTSIDE = --target-dir $(TARGET)/outside
own-operation:
	cd examples/own_operation && cargo test --locked $(OUTSIDE)

# Whether what you wrote in examples/exercises is right: make exercise N=3. That the test is there is asked as well: none would be no error.
N = $(error N=3, say, names the exercise)
EXERCISE = cargo test --quiet --locked $(OUTSIDE) --test exercises -- --exact
exercise:
	@n=$$(echo '$(N)' | sed 's/^0*//'); case $$n in [1-9]|10) ;; *) echo "There are exercises 1 to 10, and no N=$(N)" >&2; exit 2;; esac; \
	    cd examples/exercises && name=exercise_$$(printf %02d $$n) && $(EXERCISE) $$name && $(EXERCISE) $$name --list | grep -q "^$$name: test"

# The solutions, and that the exercises fail for the right reason as they come.
exercises:
	cd examples/exercises && cargo test --locked $(OUTSIDE) --test solutions

# The mutation score, crate by crate; with CRATE=lbfgs of that crate alone, with SHARD=0/4 of every fourth mutant. Needs cargo-mutants.
mutants:
	tests/mutants.py $(if $(SHARD),--shard $(SHARD)) $(CRATE)

# The gradients of candle and burn, checked: a table. Both are compiled first, which takes minutes.
in-the-wild:
	cd examples/in_the_wild && cargo run --quiet --locked

# WebAssembly: the module, and a painting in node that the native program's is compared with.
wasm: build
	crates/wasm/node.sh
	crates/wasm/build.sh
	node --test crates/wasm/test.mjs

# The page of docs/browser.md, a folder to be served as it is: python3 -m http.server --directory target/page. Then the same in a
# headless Chromium, which leaves what it saw in target/page-screenshots.
PAGE = $(CURDIR)/target/page
page:
	crates/wasm/node.sh
	crates/wasm/build.sh
	node crates/wasm/page/build.mjs $(PAGE)

page-test: page
	crates/wasm/page/test.sh $(PAGE)

# docs/ as one book, target/book/index.html: equations set, code included, every link checked.
BOOK_TARGET = --target-dir $(TARGET)/mdbook
BOOK = --quiet --locked --manifest-path crates/book/Cargo.toml $(BOOK_TARGET)
book:
	cargo fmt --manifest-path crates/book/Cargo.toml --check
	cargo test $(BOOK)
	cargo run $(BOOK)

# The book's own pictures and plots, drawn anew: docs/images/book.
book-pictures:
	cargo run --quiet --locked --package impasto-study --example book_pictures

# Every crate as a tarball for the registry, and the program of docs/library.md against the tarballs alone.
package:
	tests/packages.sh

# Broken pictures, weights and checkpoints for so many seconds: make fuzz SECONDS=3600. SEED=N repeats a run, FILES=.png,.tif
# chooses files by parts of their names.
SECONDS = 30
fuzz:
	IMPASTO_FUZZ_SECONDS=$(SECONDS) $(if $(SEED),IMPASTO_FUZZ_SEED=$(SEED)) $(if $(FILES),IMPASTO_FUZZ_FILES=$(FILES)) \
	    cargo test --quiet --locked --workspace --test fuzz -- --exact long_run --ignored --nocapture

# Runs that are killed or get a signal at random moments, many of them.
torture:
	IMPASTO_KILLS=200 cargo test --locked --workspace --test tests resume:: -- --nocapture
	IMPASTO_SIGNALS=200 cargo test --locked --workspace --test tests a_signal_at_any_moment -- --nocapture

# AddressSanitizer on the tests of tensor, the only crate with unsafe code. Stable Rust has no sanitizers.
ASAN_HOST = $(shell rustc --version --verbose | sed -n 's/^host: //p')
asan:
	@rustup run nightly rustc --version || { echo "AddressSanitizer needs Rust's nightly toolchain, which is not here." \
	    "With rustup (https://rustup.rs) it comes by: rustup toolchain install nightly --profile minimal" >&2; exit 1; }
	RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/asan \
	    rustup run nightly cargo test --locked --package impasto-tensor --tests --target $(ASAN_HOST)

# Seconds and peak memory of whole evaluations, layer by layer; then GEMM and each convolution on its own.
BENCH_ARCHS = vgg16 vgg19
BENCH_SIZES = 256 512 1024
bench: build
	set -e; for arch in $(BENCH_ARCHS); do for size in $(BENCH_SIZES); do \
	    $(IMPASTO) bench --arch $$arch --size $$size; \
	done; done
	cargo bench --locked --package impasto-tests --bench kernels

# The same evaluations in turn with PyTorch.
bench-peers: build
	benches/compare.sh

# L-BFGS beside SciPy's on the problems of Moré, Garbow and Hillstrom: the table of docs/standard-problems.md. numpy and scipy; a quarter of an hour.
standard-problems:
	$${PYTHON:-python3} benches/standard_problems.py

# Two builds of the program: make same-bytes OLD=PROGRAM, with NEW=PROGRAM if it is not the one of `make build`.
OLD = $(error OLD=PROGRAM names the build to compare with)

# The same commands with both: every byte that they write must be the same.
same-bytes: $(if $(NEW),,build)
	benches/same_bytes.sh $(OLD) $(or $(NEW),target/release/impasto)

# Seconds and peak memory of both, in turn. Leave the machine alone meanwhile.
old-new: $(if $(NEW),,build)
	benches/old_new.sh $(OLD) $(or $(NEW),target/release/impasto)

# The recipes of docs/batch.md against Kubernetes' schema and systemd's reader, and their commands against the program.
recipes: build
	examples/batch/check.sh target/release/impasto

# A batch on a real Slurm, of which one task is killed. Leave the machine alone meanwhile.
slurm: build
	benches/slurm.sh

# VGG-19, the paper's network, from torchvision (575 MB): then --weights vgg19 finds it.
VGG19_URL    = https://download.pytorch.org/models/vgg19-dcbb9e9d.pth
VGG19_SHA256 = dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44
WEIGHTS      = $(or $(IMPASTO_WEIGHTS),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/impasto)
VGG19        = $(WEIGHTS)/$(notdir $(VGG19_URL))
vgg19: build
	@mkdir -p "$(WEIGHTS)"
	@echo "$(VGG19_SHA256)  $(VGG19)" | sha256sum --check --status - 2> /dev/null \
	    || curl --fail --location --retry 3 --continue-at - --output "$(VGG19)" $(VGG19_URL) \
	    || { echo "Cannot fetch $(VGG19_URL). If this machine has no internet, bring any VGG-19 file that you have" \
	              "(docs/weights.md names the formats) and run:" \
	              "impasto weights convert FILE -o \"$(WEIGHTS)/vgg19.safetensors\"" >&2; exit 1; }
	@echo "$(VGG19_SHA256)  $(VGG19)" | sha256sum --check - \
	    || { rm "$(VGG19)"; echo "The file was damaged on the way and is deleted: run make vgg19 again." >&2; exit 1; }
	$(IMPASTO) weights convert "$(VGG19)" -o "$(WEIGHTS)/vgg19.safetensors"
	rm "$(VGG19)"

clean:
	cargo clean
	rm -rf out
