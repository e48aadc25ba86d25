//! Every wrong input ends with one sentence that says what to do, and the right exit code; never with a panic or a picture.

use std::fs;

use crate::command::{Folder, code_and_message};

/// Runs a transfer that must fail, with that exit code and all those words in its one sentence.
#[track_caller]
fn refused(folder: &Folder, arguments: &str, code: i32, words: &[&str]) {
    let output = folder.run(&format!("transfer {arguments}"));
    let (got, message) = code_and_message(&output);
    assert_eq!(got, code, "{arguments}: {message}");
    let message = message.to_lowercase();
    assert!(message.starts_with("error: "), "{arguments}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments}: {message:?} does not say {word:?}");
    }
    assert!(!folder.path("out.png").exists(), "{arguments} left a picture");
}

#[track_caller]
fn refused_in_one_line(folder: &Folder, arguments: &str, code: i32, words: &[&str]) {
    refused(folder, arguments, code, words);
    let (_, message) = code_and_message(&folder.run(&format!("transfer {arguments}")));
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
}

#[test]
fn missing_and_unreadable_pictures() {
    let folder = Folder::new();
    fs::write(folder.path("text.png"), "not a picture at all").unwrap();
    fs::write(folder.path("empty.png"), "").unwrap();
    refused_in_one_line(&folder, "none.png painting.webp -o out.png", 1, &["none.png", "no such file"]);
    refused_in_one_line(&folder, "photo.png none.webp -o out.png", 1, &["none.webp", "no such file"]);
    refused_in_one_line(&folder, "text.png painting.webp -o out.png", 1, &["text.png", "not a jpeg, png"]);
    refused_in_one_line(&folder, "photo.png empty.png -o out.png", 1, &["empty.png is empty"]);
    refused_in_one_line(&folder, ". painting.webp -o out.png", 1, &["cannot read", "directory"]);
    refused_in_one_line(&folder, "photo.png painting.webp -o out.png --init none.png", 1, &["none.png"]);
}

#[test]
fn truncated_jpeg() {
    let folder = Folder::new();
    let picture = image::open(folder.path("photo.png")).unwrap();
    picture.save(folder.path("whole.jpg")).unwrap();
    let bytes = fs::read(folder.path("whole.jpg")).unwrap();
    fs::write(folder.path("cut.jpg"), &bytes[..bytes.len() / 2]).unwrap();
    refused_in_one_line(&folder, "cut.jpg painting.webp -o out.png", 1, &["cut.jpg", "cut short"]);
}

#[test]
fn pictures_too_small_or_too_large() {
    let folder = Folder::new();
    for (name, width, height) in [("dot.png", 1, 1), ("small.png", 10, 40), ("strip.png", 2000, 20)] {
        image::RgbImage::new(width, height).save(folder.path(name)).unwrap();
    }
    let mut header = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    header.extend([40_000_u32.to_le_bytes(), 40_000_u32.to_le_bytes()].concat());
    header.extend(b"\x01\0\x18\0");
    header.extend([0; 24]);
    fs::write(folder.path("huge.bmp"), header).unwrap();
    refused_in_one_line(
        &folder,
        "dot.png painting.webp -o out.png",
        1,
        &["content picture of 1 x 1", "16 pixels"],
    );
    refused_in_one_line(
        &folder,
        "photo.png small.png -o out.png",
        1,
        &["style picture of 10 x 40", "conv5_1"],
    );
    refused_in_one_line(
        &folder,
        "strip.png painting.webp -o out.png",
        1,
        &["resized content picture of 512 x 5", "--size"],
    );
    refused_in_one_line(
        &folder,
        "huge.bmp painting.webp -o out.png --memory-limit 1G",
        1,
        &["40000 x 40000", "1024 mib are free or allowed", "million pixels", "--memory-limit"],
    );
    // Without conv5_1 a small painting will do.
    let output = folder.run(
        "transfer photo.png small.png -o out.png --size 32 --iterations 1 --style-layers conv1_1 --content-layers conv2_2",
    );
    assert!(output.status.success(), "{:?}", code_and_message(&output));
}

#[test]
fn numbers_that_make_no_sense() {
    let folder = Folder::new();
    for (option, words) in [
        ("--content-weight -1", "--content-weight must be a number of 0 or more, not -1"),
        ("--content-weight -1e-3", "--content-weight must be a number of 0 or more, not -0.001"),
        ("--tv-weight=-2", "--tv-weight must be a number of 0 or more, not -2"),
        ("-s -5", "--size must be"),
        ("--size 15", "--size must be at least 16 for conv5_1, not 15"),
        ("--style-scale 0.01", "--style-scale must be such that 512 pixels"),
        ("--blend -1,2", "--blend must be even, or a number of 0 or more"),
        ("--blend 1e308,1e308", "their sum finite, not 1e308,1e308"),
        ("--style-scale 1e-300", "must be such that 512 pixels"),
        ("--style-scale 1e-300", ", not 1e-300"),
        ("--style-scale -1,1", "--style-scale must be"),
        ("--style-weight nan", "--style-weight must be"),
        ("--tv-weight inf", "--tv-weight must be"),
        ("--style-scale 0", "--style-scale must be"),
        ("--size 0", "--size must be from 1 to 10000"),
        ("--size 99999", "--size must be from 1 to 10000"),
        ("--iterations 0", "--iterations must be auto, or 1 or more"),
        ("--history 0", "--history must be 1 or more"),
        ("--scales 0", "--scales must be"),
        ("--content-weight 0 --style-weight 0", "nothing to optimise"),
        ("--optimizer adam --history 5", "--history is for"),
        ("--learning-rate 1", "--learning-rate is for"),
        ("--optimizer adam --learning-rate -1", "--learning-rate must be"),
        ("--preprocess torch", "--weights"),
        ("--weights vgg16 --preprocess torch", "--weights"),
    ] {
        refused_in_one_line(&folder, &format!("photo.png painting.webp -o out.png {option}"), 2, &[words]);
    }
    for option in [
        "--size many",
        "--threads 0",
        "--quality 0",
        "--preset none",
        "--memory-limit lots",
        "--pool min",
        "--bogus",
    ] {
        let name = option.split(' ').next().unwrap();
        refused(&folder, &format!("photo.png painting.webp -o out.png {option}"), 2, &[name]);
    }
    refused(&folder, "photo.png -o out.png", 2, &["<style>"]);
    refused(&folder, "photo.png painting.webp", 2, &["--output"]);
}

#[test]
fn layers_that_do_not_exist() {
    let folder = Folder::new();
    let transfer = |layers| format!("photo.png painting.webp -o out.png {layers}");
    refused_in_one_line(
        &folder,
        &transfer("--style-layers conv1_1,conv9_9"),
        2,
        &["conv9_9", "its layers are conv1_1"],
    );
    refused_in_one_line(&folder, &transfer("--content-layers conv3_4"), 2, &["vgg-16 has no layer conv3_4"]);
    refused_in_one_line(&folder, &transfer("--style-layers conv1_1:-1"), 2, &["weight of conv1_1"]);
    refused_in_one_line(&folder, &transfer("--style-layers conv1_1:x"), 2, &["x is not a number"]);
    refused_in_one_line(&folder, &transfer("--style-layers conv1_1,conv1_1"), 2, &["named twice"]);
    refused_in_one_line(&folder, &transfer("--style-layers conv1_1:1,conv2_1"), 2, &["every layer a weight"]);
}

/// What was meant is said, and what there is.
#[test]
fn a_misspelt_name_gets_the_nearest_one() {
    let folder = Folder::new();
    let transfer = |options| format!("photo.png painting.webp -o out.png {options}");
    refused_in_one_line(&folder, &transfer("--content-layers conv4_22"), 2, &["; did you mean conv4_2?"]);
    refused_in_one_line(&folder, &transfer("--style-layers cov1_1"), 2, &["; did you mean conv1_1?"]);
    refused_in_one_line(
        &folder,
        &transfer("--init nosie"),
        2,
        &["there is no file nosie", "--init must be content, noise", "; did you mean noise?"],
    );
    refused_in_one_line(&folder, &transfer("--init foo"), 2, &["foo", "--init must be content, noise"]);
    refused_in_one_line(&folder, &transfer("--init foo.png"), 1, &["foo.png", "--init must be content"]);
    refused_in_one_line(&folder, &transfer("--weights vgg91"), 2, &["vgg91", "; did you mean vgg19?"]);
    refused_in_one_line(&folder, &transfer("--weights resnet"), 2, &["networks are vgg16, vgg19"]);
    refused_in_one_line(&folder, &transfer("--weights ./resnet.pth"), 1, &["resnet.pth"]);
    refused(&folder, &transfer("--sizee 3"), 2, &["--size"]);
    refused(&folder, &transfer("--preset papr"), 2, &["'paper'"]);
    refused(&folder, &transfer("--pool averag"), 2, &["'average'"]);
    for (option, meant) in [("siz=3,4", "size"), ("presett=paper", "preset"), ("pool=averag", "average")] {
        let output = folder.run(&format!("sweep photo.png painting.webp -o out --vary {option}"));
        let (code, message) = code_and_message(&output);
        assert!(code == 2 && message.contains(&format!("; did you mean {meant}?")), "{message}");
    }
}

/// Those of the program that people know are answered with ours, before they are taken for something else.
#[test]
fn options_of_neural_style_are_answered() {
    let folder = Folder::new();
    refused(
        &folder,
        "-content_image photo.png -style_image painting.webp -output_image out.png",
        2,
        &["-content_image is an option of neural-style", "-style_image is", "-o out", "docs/neural-style.md"],
    );
    refused_in_one_line(&folder, "a b -o c --image_size 9", 2, &["use --size"]);
    refused_in_one_line(&folder, "a b -o c -original_colors 1", 2, &["use --colours photo"]);
    // Ours in spite of their looks.
    let output =
        folder.run("transfer photo.png painting.webp -original.png --size 24 --iterations 1 --pooling avg");
    assert!(output.status.success(), "{:?}", code_and_message(&output));
    assert!(folder.path("riginal.png").exists());
}

/// Short forms and synonyms are the same options.
#[test]
fn short_forms_and_synonyms() {
    let folder = Folder::new();
    let paint = |options: &str| {
        let output = folder.run(&format!("transfer photo.png painting.webp -o out.png -q {options}"));
        assert!(output.status.success(), "{options}: {:?}", code_and_message(&output));
        fs::read(folder.path("out.png")).unwrap()
    };
    let long = paint("--size 24 --iterations 2 --threads 1 --pool average --optimizer adam");
    assert!(paint("-s 24 -i 2 -j 1 --pooling avg --optimiser adam") == long);
    assert!(paint("--image-size 24 --iterations 2 --pool avg --optimizer adam") == long);
}

#[test]
fn outputs_that_cannot_be() {
    let folder = Folder::new();
    fs::create_dir(folder.path("folder.png")).unwrap();
    refused_in_one_line(
        &folder,
        "photo.png painting.webp -o none/out.png",
        1,
        &["the folder none does not exist"],
    );
    refused_in_one_line(&folder, "photo.png painting.webp -o out.gif", 2, &["out.gif", ".png"]);
    refused_in_one_line(&folder, "photo.png painting.webp -o out", 2, &["cannot tell the format"]);
    refused_in_one_line(&folder, "photo.png painting.webp -o folder.png", 1, &["folder.png", "directory"]);
    refused_in_one_line(
        &folder,
        "photo.png painting.webp -o out.png --log none/log",
        1,
        &["the folder none"],
    );
    refused_in_one_line(
        &folder,
        "photo.png painting.webp -o - --save-every 5",
        2,
        &["--save-every needs a file"],
    );
}

#[test]
fn weights_that_are_none() {
    let folder = Folder::new();
    let transfer = |file| format!("photo.png painting.webp -o out.png --weights {file}");
    // A safetensors file with one tensor of another network.
    let json = br#"{"fc.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
    let mut other = (json.len() as u64).to_le_bytes().to_vec();
    other.extend(json);
    other.extend([0; 16]);
    fs::write(folder.path("other.safetensors"), &other).unwrap();
    let embedded = concat!(env!("CARGO_MANIFEST_DIR"), "/../weights/vgg16.safetensors");
    let bytes = fs::read(embedded).unwrap();
    fs::write(folder.path("cut.safetensors"), &bytes[..bytes.len() / 3]).unwrap();
    fs::write(folder.path("empty.safetensors"), b"").unwrap();
    refused_in_one_line(&folder, &transfer("none.pth"), 1, &["none.pth"]);
    refused_in_one_line(&folder, &transfer("other.safetensors"), 1, &["other.safetensors", "vgg"]);
    refused_in_one_line(&folder, &transfer("cut.safetensors"), 1, &["cut.safetensors"]);
    refused_in_one_line(&folder, &transfer("empty.safetensors"), 1, &["empty.safetensors"]);
    let output = folder
        .command(&format!("transfer {}", transfer("vgg19")))
        .env("IMPASTO_WEIGHTS", folder.path(""))
        .output()
        .unwrap();
    let (code, message) = code_and_message(&output);
    assert!(code == 1 && message.contains("impasto weights convert"), "{message}");
    assert!(message.contains("`make vgg19`"), "{message}");
    refused_in_one_line(&folder, &transfer("photo.png"), 1, &["photo.png"]);
}

#[test]
fn a_memory_limit_that_nothing_fits() {
    let folder = Folder::new();
    refused_in_one_line(
        &folder,
        "photo.png painting.webp -o out.png --memory-limit 1M",
        1,
        &["1 mib are free or allowed", "--memory-limit"],
    );
}

#[test]
fn a_memory_limit_names_the_size_that_would_fit() {
    let folder = Folder::new();
    let arguments = "photo.png painting.webp -o out.png --size 2048 --memory-limit 1G";
    refused_in_one_line(&folder, arguments, 1, &["2048", "1024 mib are free or allowed", "use --size"]);
}
