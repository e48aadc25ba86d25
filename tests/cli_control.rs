//! Several paintings, masks, regions and saved scenes on the command line.

use std::fs;
use std::path::Path;

use crate::command::{Folder, code_and_message, succeed};
use image::{GrayImage, Luma, Rgb, RgbImage};

const SMALL: &str = "--size 64 --iterations 3 --quiet";
/// One size and early layers: some hundredths of a second an iteration.
const TINY: &str = "--size 64 --scales 1 --iterations 2 --content-layers conv2_1 --style-layers conv1_1,conv2_1 --quiet \
     --no-metadata";

/// The photo, two paintings, and masks of both halves of each.
fn folder() -> Folder {
    let folder = Folder::new();
    let other = RgbImage::from_fn(80, 100, |x, y| Rgb([(3 * x) as u8, (2 * y) as u8, ((x * y) % 200) as u8]));
    other.save(folder.path("other.png")).unwrap();
    let mask = |name: &str, (width, height): (u32, u32), white: fn(u32, u32) -> bool| {
        let half = GrayImage::from_fn(width, height, |x, y| {
            Luma([if white(2 * x / width, 2 * y / height) { 255 } else { 0 }])
        });
        half.save(folder.path(name)).unwrap();
    };
    let photo = image::image_dimensions(folder.path("photo.png")).unwrap();
    let painting = image::image_dimensions(folder.path("painting.webp")).unwrap();
    mask("left.png", photo, |x, _| x == 0);
    mask("top.png", photo, |_, y| y == 0);
    mask("bottom.png", photo, |_, y| y == 1);
    mask("upper.png", painting, |_, y| y == 0);
    mask("black.png", photo, |_, _| false);
    mask("white.png", (30, 20), |_, _| true);
    mask("tall.png", (20, 300), |_, _| true);
    folder
}

/// Paints `pictures` in little time, to a file.
#[track_caller]
fn paint(folder: &Folder, pictures: &str, output: &str) -> Vec<u8> {
    succeed(folder, &format!("transfer {pictures} {TINY} -o {output}"));
    fs::read(folder.path(output)).unwrap()
}

/// Runs a command that must fail with that exit code and one sentence with all those words.
#[track_caller]
fn refused(folder: &Folder, arguments: &str, code: i32, words: &[&str]) {
    let (found, message) = code_and_message(&folder.run(arguments));
    assert_eq!(found, code, "{arguments}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{arguments}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments}: {word:?} is not in {message:?}");
    }
    assert!(!folder.path("out.png").exists(), "{arguments} left a picture");
}

#[test]
fn paintings_are_blended() {
    let folder = folder();
    let one = paint(&folder, "photo.png painting.webp", "one.png");
    assert!(paint(&folder, "photo.png painting.webp other.png --blend 1,0", "first.png") == one);
    let even = paint(&folder, "photo.png painting.webp other.png", "even.png");
    assert!(even != one);
    assert!(paint(&folder, "photo.png painting.webp other.png --blend 2,2", "two.png") == even);
    assert!(paint(&folder, "photo.png painting.webp other.png --blend 3,1", "more.png") != even);
    assert!(paint(&folder, "photo.png painting.webp painting.webp", "twice.png").len() > 100);
}

#[test]
fn masks_say_where_paintings_act() {
    let folder = folder();
    let one = paint(&folder, "photo.png painting.webp", "one.png");
    assert!(
        paint(&folder, "photo.png painting.webp --mask white.png", "white.png.png") == one,
        "white everywhere"
    );
    let halves = paint(&folder, "photo.png painting.webp other.png --mask left.png,-", "halves.png");
    assert!(halves != one);
    assert!(
        paint(&folder, "photo.png painting.webp other.png --mask left.png --mask -", "again.png") == halves,
        "given one by one"
    );
    assert!(
        paint(&folder, "photo.png painting.webp other.png --mask -,left.png", "other-way.png") != halves,
        "the rest is where the other one is not"
    );
    let blended = "photo.png painting.webp other.png painting.webp --mask left.png,left.png,- --blend 3,1,1";
    let thrice = paint(&folder, blended, "blended.png");
    let weights = blended.replace("3,1,1", "6,2,9");
    assert!(paint(&folder, &weights, "weights.png") == thrice, "weights count within a region");
    fs::copy(folder.path("left.png"), folder.path("copy.png")).unwrap();
    let copied = blended.replace("left.png,left.png", "left.png,copy.png");
    assert!(paint(&folder, &copied, "copied.png") == thrice, "a mask is what is in it, not its name");
    let part = paint(&folder, "photo.png painting.webp --style-mask upper.png", "part.png");
    assert!(part != one);
    assert!(paint(&folder, "photo.png painting.webp --style-mask -", "all.png") == one);
    let content =
        paint(&folder, "photo.png painting.webp --content-mask left.png --init noise", "content.png");
    assert!(content != paint(&folder, "photo.png painting.webp --init noise", "noise.png"));
}

/// A mask is shrunk in one way, wherever it comes from.
#[test]
fn a_mask_from_standard_input_is_the_same_mask() {
    let folder = folder();
    let kept = paint(&folder, "photo.png painting.webp --keep left.png", "kept.png");
    let mut command =
        folder.command(&format!("transfer photo.png painting.webp --keep - {TINY} -o piped.png"));
    let output = command.stdin(fs::File::open(folder.path("left.png")).unwrap()).output().unwrap();
    assert!(output.status.success(), "{:?}", code_and_message(&output));
    assert!(fs::read(folder.path("piped.png")).unwrap() == kept);
}

/// The other half is painted: the picture that is kept is that of a run which paints nothing.
#[test]
fn what_is_kept_is_the_photo() {
    let folder = folder();
    paint(&folder, "photo.png painting.webp --style-weight 0 --dither none", "photo-resized.png");
    paint(&folder, "photo.png painting.webp --keep left.png --dither none", "kept.png");
    let [photo, kept] =
        ["photo-resized.png", "kept.png"].map(|name| image::open(folder.path(name)).unwrap().into_rgb8());
    let equal = |x: u32| (0..photo.height()).all(|y| photo.get_pixel(x, y) == kept.get_pixel(x, y));
    // The mask's edge is soft for a pixel or two where it was resized.
    assert!((0..photo.width() / 2 - 2).all(equal));
    assert!(!(photo.width() / 2 + 2..photo.width()).any(equal));
}

/// They are small files, whatever their masks would take.
#[test]
fn masks_of_large_segmentations_with_many_colours_keep_to_the_memory_limit() {
    let folder = folder();
    for (segmentation, picture) in [("photo-seg.png", "photo.png"), ("painting-seg.png", "painting.webp")] {
        let (width, height) = image::image_dimensions(folder.path(picture)).unwrap();
        let scale = 2000 / width.max(height);
        let (width, height) = (scale * width, scale * height);
        let stripe = |x: u32| (x * 24 / width * 10) as u8;
        let stripes = RgbImage::from_fn(width, height, |x, _| Rgb([stripe(x), 0, 255 - stripe(x)]));
        stripes.save(folder.path(segmentation)).unwrap();
    }
    let regions = "photo.png painting.webp --regions photo-seg.png painting-seg.png --memory-limit";
    paint(&folder, &format!("{regions} 300M"), "regions.png");
    let refused = folder.run(&format!("transfer {regions} 100M {TINY} -o refused.png"));
    let (code, message) = code_and_message(&refused);
    assert!(code == 1 && message.contains("-seg.png has") && message.contains("--memory-limit"), "{message}");
}

#[test]
fn colours_of_two_segmentations_are_regions() {
    let folder = folder();
    let halves = |name: &str, (width, height): (u32, u32), colours: [[u8; 3]; 2]| {
        let picture = RgbImage::from_fn(width, height, |x, _| Rgb(colours[(2 * x / width) as usize]));
        picture.save(folder.path(name)).unwrap();
    };
    let (red, blue) = ([255, 0, 0], [0, 0, 255]);
    let sizes =
        ["photo.png", "painting.webp"].map(|name| image::image_dimensions(folder.path(name)).unwrap());
    halves("photo-seg.png", sizes[0], [red, blue]);
    halves("painting-seg.png", sizes[1], [blue, red]);
    let one = paint(&folder, "photo.png painting.webp", "one.png");
    let regions = "photo.png painting.webp --regions photo-seg.png painting-seg.png";
    assert!(paint(&folder, regions, "regions.png") != one);
    let scene = succeed_and_print(&folder, &format!("transfer {regions} {TINY} --print-scene"));
    fs::write(folder.path("regions.toml"), scene).unwrap();
    let again = paint(&folder, "--scene regions.toml", "again.png");
    assert!(again == fs::read(folder.path("regions.png")).unwrap());
}

#[track_caller]
fn succeed_and_print(folder: &Folder, arguments: &str) -> String {
    let output = folder.run(arguments);
    assert!(output.status.success(), "{arguments}: {:?}", code_and_message(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The scene of a command, painted from another folder, has the command's bytes.
#[test]
fn a_printed_scene_paints_the_same() {
    let folder = folder();
    fs::create_dir(folder.path("with space \"q\" é")).unwrap();
    let moved = folder.path("with space \"q\" é").join("máscara, left.png");
    fs::copy(folder.path("left.png"), &moved).unwrap();
    for arguments in [
        "photo.png painting.webp",
        "photo.png painting.webp other.png --blend 3,1 --style-scale 1,0.5 --mask left.png,- --style-mask upper.png,-",
        "photo.png painting.webp --keep left.png --content-mask top.png --init other.png --seed 18446744073709551615",
        "photo.png painting.webp --preset paper --optimizer adam --learning-rate 3 --mask-reach inside --mask top.png",
        "photo.png painting.webp --weights vgg16",
    ] {
        let printed = succeed_and_print(&folder, &format!("transfer {arguments} {TINY} --print-scene"));
        let painted = paint(&folder, arguments, "painted.png");
        let scene = Path::new("with space \"q\" é").join("scene.toml");
        fs::write(folder.path(scene.to_str().unwrap()), &printed).unwrap();
        let mut command = folder.command("transfer --quiet --no-metadata -o from-scene.png --scene");
        let output = command.arg(&scene).output().unwrap();
        assert!(output.status.success(), "{arguments}: {:?}\n{printed}", code_and_message(&output));
        assert!(fs::read(folder.path("from-scene.png")).unwrap() == painted, "{arguments}\n{printed}");
        let again = folder.command("transfer --print-scene --scene").arg(&scene).output().unwrap();
        assert_eq!(String::from_utf8(again.stdout).unwrap(), printed);
    }
}

/// By hand, with paths from where it lies, and whatever the command line says counting more.
#[test]
fn a_scene_is_written_by_hand() {
    let folder = folder();
    fs::create_dir(folder.path("scenes")).unwrap();
    let name = "máscara \\\"left\\\", 1.png";
    fs::copy(folder.path("left.png"), folder.path("scenes/máscara \"left\", 1.png")).unwrap();
    let scene = format!(
        "[options]\nsize = 64\niterations = 2\nscales = 1\ncontent-layers = \"conv2_1\"\nstyle-layers = \"conv1_1,conv2_1\"\n\n\
         [[inputs]]\nrole = \"content\"\npath = \"../photo.png\"\n\n\
         [[inputs]]\nrole = \"style\"\npath = \"../painting.webp\"\n\n\
         [[inputs]]\nrole = \"keep\"\npath = \"{name}\"\n"
    );
    fs::write(folder.path("scenes/scene.toml"), scene).unwrap();
    let kept = paint(&folder, "photo.png painting.webp --keep left.png", "kept.png");
    succeed(&folder, "transfer --scene scenes/scene.toml -o scene.png --quiet --no-metadata");
    assert!(fs::read(folder.path("scene.png")).unwrap() == kept);
    succeed(
        &folder,
        "transfer photo.png other.png --scene scenes/scene.toml --keep top.png -o other-scene.png --quiet --no-metadata",
    );
    let other = paint(&folder, "photo.png other.png --keep top.png", "other.png.png");
    assert!(fs::read(folder.path("other-scene.png")).unwrap() == other);
    succeed(&folder, "transfer --scene scenes/scene.toml --optimizer adam --size 48 -o small.png --quiet");
    assert_eq!(image::image_dimensions(folder.path("small.png")).unwrap().0, 48);
}

/// A preset on the command line sets what presets set, and the scene keeps the rest.
#[test]
fn a_preset_counts_more_than_a_scene() {
    let folder = folder();
    let print = |arguments: &str| succeed_and_print(&folder, &format!("transfer {arguments} --print-scene"));
    let given = "photo.png painting.webp other.png --blend 3,1 --size 64";
    let scene = print(&format!("{given} --iterations 7 --init noise --tv-weight 0.5"));
    fs::write(folder.path("scene.toml"), scene).unwrap();
    assert_eq!(print("--scene scene.toml --preset paper"), print(&format!("{given} --preset paper")));
    let both = print("--scene scene.toml --preset neural-style --tv-weight 2");
    assert_eq!(both, print(&format!("{given} --preset neural-style --tv-weight 2")));
}

#[test]
fn printing_a_scene_reads_no_picture() {
    let folder = folder();
    let printed = succeed_and_print(&folder, "transfer none.jpg neither.jpg --mask - --print-scene --seed 3");
    for word in ["none.jpg", "role = \"mask\"\npath = \"-\"", "seed = 3", "content-weight = 0.0008"] {
        assert!(printed.contains(word), "{word} in {printed}");
    }
    assert!(printed.contains(folder.path("none.jpg").to_str().unwrap()), "{printed}");
    refused(
        &folder,
        "transfer none.jpg a.jpg b.jpg --mask a.png --print-scene",
        2,
        &["--mask has 1 mask for 2 paintings"],
    );
    refused(&folder, "transfer none.jpg a.jpg --size 0 --print-scene", 2, &["--size must be"]);
}

#[test]
fn wrong_uses_name_what_is_wrong() {
    let folder = folder();
    let out = format!("{SMALL} -o out.png");
    for (arguments, code, words) in [
        ("photo.png", 2, ["no painting", "STYLE"]),
        ("--mask left.png", 2, ["no photo", "--scene"]),
        (
            "photo.png painting.webp other.png --mask left.png",
            2,
            ["--mask has 1 mask for 2 paintings", "- for the rest"],
        ),
        (
            "photo.png painting.webp --style-mask a.png,b.png",
            2,
            ["--style-mask has 2 masks for 1 painting", "one for each"],
        ),
        ("photo.png painting.webp other.png --blend 1,2,3", 2, ["--blend has 3 values", "2 paintings"]),
        (
            "photo.png painting.webp other.png --style-scale 1,2,3",
            2,
            ["--style-scale has 3 values", "2 paintings"],
        ),
        ("photo.png painting.webp --mask black.png", 1, ["--mask black.png", "black everywhere"]),
        (
            "photo.png painting.webp --keep tall.png",
            1,
            ["--keep tall.png has 20 x 300 pixels", "other proportions than the"],
        ),
        ("photo.png painting.webp --style-mask tall.png", 1, ["--style-mask tall.png", "painting.webp"]),
        ("photo.png painting.webp --content-mask none.png", 1, ["none.png", "o such file"]),
        ("photo.png painting.webp --keep white.png", 1, ["--keep white.png", "white everywhere"]),
        ("photo.png painting.webp --regions left.png upper.png --mask left.png", 2, ["--regions", "--mask"]),
        ("photo.png painting.webp other.png --regions left.png upper.png", 2, ["--regions", "one painting"]),
        ("- - --mask -", 2, ["standard input can be read once", "CONTENT"]),
        ("photo.png - --keep -", 2, ["standard input can be read once", "--keep"]),
        ("--scene none.toml", 1, ["cannot read none.toml", "o such file"]),
        ("--scene painting.webp", 1, ["painting.webp", ""]),
    ] {
        refused(&folder, &format!("transfer {arguments} {out}"), code, &words);
    }
}

#[test]
fn a_scene_that_is_not_understood_is_refused_with_its_line() {
    let folder = folder();
    for (scene, words) in [
        ("[options]\nsise = 3\n", "line 2: there is no option \"sise\": did you mean size?"),
        ("[options]\nsize = 0\n", "scene.toml: --size must be"),
        (
            "[[inputs]]\nrole = \"style\"\npath = \"a.png\"\nmask = \"b\"\n",
            "line 4: there is no key \"mask\"",
        ),
        (
            "[[inputs]]\nrole = \"weights\"\npath = \"vgg16\"\npreprocess = \"x\"\n",
            "scene.toml: preprocess: it is one of torch",
        ),
    ] {
        fs::write(folder.path("scene.toml"), scene).unwrap();
        refused(&folder, "transfer photo.png painting.webp --scene scene.toml -o out.png", 1, &[words]);
    }
    let (code, message) = code_and_message(&folder.run("transfer --scene s.toml --resume run -o out.png"));
    assert!(
        code == 2 && message.contains("'--scene <FILE>' cannot be used with '--resume <FILE>'"),
        "{message}"
    );
}

/// Whatever is read is not written over.
#[test]
fn no_output_replaces_a_mask_or_a_scene() {
    let folder = folder();
    fs::write(folder.path("scene.toml"), "").unwrap();
    fs::copy(folder.path("scene.toml"), folder.path("scene.png")).unwrap();
    let pictures = "transfer photo.png painting.webp other.png --mask left.png,- --style-mask -,top.png --keep bottom.png";
    for (output, name) in [
        ("-o left.png", "--mask"),
        ("-o other.png", "STYLE"),
        ("-o x.png --log bottom.png", "--keep"),
        ("-o x.png --checkpoint top.png", "--style-mask"),
        ("-o scene.png --scene scene.png", "--scene"),
    ] {
        let bytes = |name: &str| fs::read(folder.path(name)).unwrap();
        let before: Vec<_> = ["left.png", "other.png", "bottom.png", "top.png"].map(bytes).into();
        refused(&folder, &format!("{pictures} {SMALL} {output}"), 2, &[name]);
        assert!(before == ["left.png", "other.png", "bottom.png", "top.png"].map(bytes));
    }
}

#[test]
fn studies_take_paintings_masks_and_scenes() {
    let folder = folder();
    let tiny = "--size 48 --scales 1 --iterations 1 --content-layers conv2_1 --quiet";
    let pictures = "photo.png painting.webp other.png --mask left.png,-";
    succeed(
        &folder,
        &format!("sweep {pictures} --vary mask-reach=average,inside {tiny} --style-layers conv1_1 -o reach"),
    );
    assert!(folder.path("reach/mask-reach-inside.png").exists());
    let scene = succeed_and_print(&folder, &format!("transfer {pictures} {tiny} --print-scene"));
    fs::write(folder.path("scene.toml"), scene).unwrap();
    succeed(
        &folder,
        "sweep photo.png painting.webp other.png --vary blend=1,0;1,1 --size 48 --iterations 1 --quiet -o blend",
    );
    succeed(
        &folder,
        "sweep --scene scene.toml --vary optimizer=lbfgs,adam --style-layers conv1_1 --quiet -o methods",
    );
    assert!(folder.path("methods/optimizer-adam.png").exists());
    succeed(&folder, "grid --scene scene.toml --layers conv1_1 --ratios 1e-3 --quiet -o grid");
    let sheet = image::image_dimensions(folder.path("grid/conv1_1-1e-3.png")).unwrap();
    assert_eq!(sheet.0, 48, "the scene's size, not the grid's own");
    succeed(&folder, "explain --scene scene.toml -o page.html --quiet");
    assert!(folder.path("page.html").exists());
    let texture =
        "reconstruct style painting.webp other.png --blend 1,3 --style-mask upper.png,- --layers conv1_1";
    succeed(&folder, &format!("{texture} --canvas 48x32 --iterations 1 --quiet -o texture"));
    refused(&folder, "reconstruct content photo.png painting.webp -o none", 2, &["for textures"]);
    refused(
        &folder,
        "reconstruct style painting.webp --colours photo -o none",
        2,
        &["--colours", "what it is rebuilt from"],
    );
    refused(
        &folder,
        "reconstruct style painting.webp other.png --mask tall.png,- -o none",
        1,
        &["other proportions than the", "of the texture"],
    );
    refused(
        &folder,
        "sweep photo.png painting.webp --vary blend=1,2;3,4 -o none",
        2,
        &["--blend has 2 values"],
    );
}

/// Records of studies know of masks: another mask is another picture.
#[test]
fn a_cell_is_painted_anew_when_its_mask_has_changed() {
    let folder = folder();
    let sweep = "sweep photo.png painting.webp --keep left.png --vary seed=1 --size 48 --scales 1 --iterations 1 \
                 --content-layers conv2_1 --style-layers conv1_1 --quiet -o cells";
    succeed(&folder, sweep);
    let cell = || fs::read(folder.path("cells/seed-1.png")).unwrap();
    let before = cell();
    fs::copy(folder.path("top.png"), folder.path("left.png")).unwrap();
    succeed(&folder, sweep);
    assert!(cell() != before);
}
