//! What a picture says of itself is read back from every format, says nothing that decides no pixels, and is told from what
//! strangers write.

use std::path::Path;

use impasto_style::picture::{Encoding, ReadOptions, Writing};
use impasto_style::{
    Init, Input, Mask, Picture, Preset, Provenance, ProvenanceError, Record, Role, Stopped, Value,
    white_noise,
};
use proptest::prelude::*;

const ENCODINGS: [Encoding; 4] =
    [Encoding::Png, Encoding::Jpeg { quality: 90 }, Encoding::WebP, Encoding::Tiff];

fn picture(alpha: bool) -> Picture {
    let picture = white_noise(5, 7, 1).unwrap();
    if alpha { picture.with_alpha(Mask::of(&white_noise(5, 7, 2).unwrap())).unwrap() } else { picture }
}

fn file_of(text: &str, encoding: Encoding, alpha: bool) -> Vec<u8> {
    picture(alpha).encode(Writing { text: Some(text.to_owned()), ..encoding.into() }).unwrap()
}

fn read(file: &[u8]) -> Result<Provenance, ProvenanceError> {
    Provenance::read_stream(file, Path::new("picture"), &ReadOptions::default())
}

fn record(paths: &[&str]) -> Record {
    let input = |path: &&str| Input::picture(Role::Style, Some(Path::new(path)), &picture(false));
    Record::new(&Preset::Default.options(), paths.iter().map(input).collect())
}

fn provenance(paths: &[&str]) -> Provenance {
    Provenance::new(&record(paths))
}

proptest! {
    #[test]
    fn a_text_is_read_back_from_every_format(
        names in prop::collection::vec("[^/\0]{1,40}", 0..4), start in "[^/\0]{1,9}", repeat in 1_usize..200,
        stopped in prop::option::of((any::<usize>(), any::<usize>())), quality in 1_u8..=100, alpha: bool,
    ) {
        let names: Vec<String> = names.iter().map(|name| name.repeat(repeat)).collect();
        let mut written = provenance(&names.iter().map(String::as_str).collect::<Vec<_>>());
        written.record.options.insert("init".to_owned(), Value::Text(start));
        written.stopped = stopped.map(|(after, of)| Stopped { after, of });
        written.output.insert("quality".to_owned(), Value::from(quality.to_string()));
        let text = written.to_string();
        prop_assert!(text.chars().all(|c| (' '..='~').contains(&c)), "{text}");
        prop_assert_eq!(&Provenance::from_text(&text).unwrap(), &written);
        for encoding in ENCODINGS {
            if text.len() <= encoding.longest_text() {
                let file = file_of(&text, encoding, alpha);
                prop_assert_eq!(&read(&file).unwrap(), &written, "{:?}", encoding);
                // The pixels are those of a file without.
                let pixels = |file: &[u8]| Picture::read_stream(file, Path::new("picture"), &ReadOptions::default()).unwrap().picture;
                prop_assert_eq!(pixels(&file), pixels(&picture(alpha).encode(encoding).unwrap()));
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_or_changed_is_no_reason_to_panic(at in 0.0..1.0, byte: u8, cut: bool) {
        let text = provenance(&["photo.jpg"]).to_string();
        for encoding in ENCODINGS {
            let mut file = file_of(&text, encoding, false);
            let at = (at * file.len() as f64) as usize;
            if cut { file.truncate(at) } else { file[at] = byte }
            if let Err(error) = read(&file) {
                prop_assert_eq!(error.to_string().lines().count(), 1);
            }
        }
    }
}

#[test]
fn the_longest_text_is_read_back_and_a_longer_one_is_refused() {
    let mut written = provenance(&[]);
    written.record.options.insert("init".to_owned(), Value::Text(String::new()));
    let frame = written.to_string().len();
    for encoding in ENCODINGS {
        let most = encoding.longest_text();
        let mut with = |length: usize| {
            written.record.options.insert("init".to_owned(), Value::Text("x".repeat(length - frame)));
            written.clone()
        };
        let longest = with(most);
        assert_eq!(longest.to_string().len(), most);
        assert_eq!(read(&file_of(&longest.to_string(), encoding, false)).unwrap(), longest, "{encoding:?}");
        let longer = Writing { text: Some(with(most + 1).to_string()), ..encoding.into() };
        let error = picture(false).encode(longer).unwrap_err().to_string();
        assert!(error.contains("this format holds"), "{error}");
    }
}

#[test]
fn folders_are_nobodys_business() {
    let text = provenance(&["/home/somebody/secret/photo.jpg", "../secret/b.png", "c.webp"]).to_string();
    assert!(!text.contains("secret") && !text.contains("home"), "{text}");
    assert!(text.contains("\"path\":\"photo.jpg\"") && text.contains("\"path\":\"b.png\""), "{text}");
    let start = |path: &str| {
        let options = Preset::Default.options().with_init(Init::File(path.into()));
        Provenance::new(&Record::new(&options, Vec::new())).record.options["init"].to_string()
    };
    for (path, said) in [
        ("/secret/start.png", "start.png"),
        ("start.png", "start.png"),
        // What would be read as a start of that name, or as standard input.
        ("/secret/noise", "./noise"),
        ("secret/-", "./-"),
        ("-", "-"),
    ] {
        assert_eq!(start(path), said, "{path}");
    }
}

#[test]
fn a_name_that_stands_for_standard_input_is_told_from_it() {
    let path = |input: Input| {
        let record = Record::new(&Preset::Default.options(), vec![input]);
        Provenance::new(&record).record.inputs[0].path.clone()
    };
    let picture = picture(false);
    assert_eq!(path(Input::picture(Role::Content, None, &picture)), None);
    assert_eq!(
        path(Input::picture(Role::Content, Some(Path::new("/a/-")), &picture)).as_deref(),
        Some("./-")
    );
    assert_eq!(path(Input::unread(Role::Mask, Some(Path::new("-")))).as_deref(), Some("-"));
}

#[test]
fn what_strangers_say_is_no_record() {
    let sentence = |file: &[u8]| read(file).unwrap_err().to_string();
    for encoding in ENCODINGS {
        assert_eq!(sentence(&picture(false).encode(encoding).unwrap()), "picture holds no record of impasto");
        for text in ["A holiday", "{}", "{\"software\":\"impasto\"}", ""] {
            let file = file_of(text, encoding, false);
            assert_eq!(sentence(&file), "picture holds no record of impasto", "{text} in {encoding:?}");
        }
    }
    assert!(sentence(b"nothing").contains("is not a JPEG, PNG"));
    assert_eq!(sentence(b""), "picture is empty");
}

#[test]
fn what_is_not_understood_is_refused_with_a_sentence() {
    let text = provenance(&["photo.jpg"]).to_string();
    for (from, to, message) in [
        ("\"version\":1", "\"version\":2", "the record has version 2, and this program reads version 1"),
        ("\"version\":1", "\"version\":1,\"author\":\"me\"", "unknown field `author`"),
        ("\"size\":512", "\"size\":[512]", "this is no record of impasto"),
        ("\"size\"", "\"colour\"", "the record has an option colour"),
        ("\"role\":\"style\"", "\"role\":\"\\u001b[31m\"", "unknown variant"),
        ("\"inputs\"", "\"inputs\":3,\"x\"", "this is no record of impasto"),
    ] {
        assert!(text.contains(from), "{from}");
        let file = file_of(&text.replacen(from, to, 1), Encoding::Png, false);
        let error = read(&file).unwrap_err().to_string();
        assert!(error.starts_with("picture: ") && error.contains(message), "{to}: {error}");
        assert!(!error.contains(char::is_control), "{error:?}");
    }
}

/// A text in another kind of chunk, as other programs leave it, and in data that is broken.
#[test]
fn texts_are_found_where_other_programs_put_them() {
    let written = provenance(&["photo.jpg"]);
    let text = written.to_string();
    let plain = picture(false).encode(Encoding::Png).unwrap();
    let chunk = |kind: [u8; 4], data: &[u8]| {
        let body = [&kind[..], data].concat();
        let length = (data.len() as u32).to_be_bytes();
        [&length[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
    };
    let text_chunk = chunk(*b"tEXt", format!("Description\0{text}").as_bytes());
    let (start, end) = (33, plain.len() - 12);
    for at in [start, end] {
        let file = [&plain[..at], &text_chunk, &plain[at..]].concat();
        assert_eq!(read(&file).unwrap(), written, "at {at}");
    }
    // A compressed one is passed over, and so is one that has no keyword.
    for data in [b"impasto\0\x01\0\0\0xxxx".as_slice(), b"impasto", b""] {
        let file = [&plain[..start], &chunk(*b"iTXt", data), &text_chunk, &plain[start..]].concat();
        assert_eq!(read(&file).unwrap(), written);
    }
    // A JPEG and a WebP with EXIF data that are none.
    let jpeg = file_of(&text, Encoding::Jpeg { quality: 90 }, false);
    let broken = [&jpeg[..2], b"\xff\xe1\x00\x0cExif\0\0abcd", &jpeg[2..]].concat();
    assert_eq!(read(&broken).unwrap(), written);
}
