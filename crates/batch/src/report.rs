//! One page about all jobs: an HTML file that needs no other.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::Figures;
use crate::state::now;

/// A job on the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where its picture goes, as it was given.
    pub output: String,
    /// What it is made of: the photo, the paintings.
    pub made_of: Vec<String>,
    /// How it stands, in a word: `done`, `failed`, `not done yet`.
    pub stands: &'static str,
    /// Of a failed one: why, in a sentence.
    pub failure: Option<String>,
    /// Of a done one: its numbers.
    pub figures: Option<Figures>,
    /// The file of its strip, if it has one: photo, painting and picture, small, a JPEG.
    pub strip: Option<PathBuf>,
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:72rem;padding:0 1rem;color:#222;background:#fff}\
h1{font-size:1.5rem;margin:0}p{margin:.4rem 0}\
.jobs{display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1rem;margin-top:1rem}\
article{border:1px solid #ddd;border-radius:6px;padding:.6rem;overflow-wrap:anywhere}\
article img{width:100%;height:auto;display:block;border-radius:3px;background:#eee}\
h2{font-size:1rem;margin:.4rem 0 .1rem}.failed{border-color:#b00020}.failed b{color:#b00020}small{color:#555}\
@media(max-width:24rem){.jobs{grid-template-columns:1fr}}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}article{border-color:#444}small{color:#aaa}.failed b{color:#ff6b81}}";

/// The page of some jobs: failed ones first, then what is not done, then the pictures; thumbnails are in it.
pub fn report(jobs: &[Entry]) -> String {
    let count = |stands: &str| jobs.iter().filter(|job| job.stands == stands).count();
    let (done, failed) = (count("done"), count("failed"));
    let rest = jobs.len() - done - failed;
    let seconds: f64 = jobs.iter().filter_map(|job| Some(job.figures.as_ref()?.seconds)).sum();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{done} of {} pictures</title><style>{STYLE}</style>\n<h1>{done} of {} pictures</h1>\n\
         <p>{failed} failed, {rest} not done yet. Painting took {} in all. <small>Written {}.</small></p>\n<div class=\"jobs\">\n",
        jobs.len(),
        jobs.len(),
        spoken(seconds),
        now(),
    );
    let rank = |job: &&Entry| match job.stands {
        "failed" => 0,
        "done" => 2,
        _ => 1,
    };
    let mut order: Vec<&Entry> = jobs.iter().collect();
    order.sort_by_key(rank);
    for job in order {
        article(&mut page, job);
    }
    page += "</div>\n</html>\n";
    page
}

fn article(page: &mut String, job: &Entry) {
    let class = if job.failure.is_some() { " class=\"failed\"" } else { "" };
    // Writing into a string does not fail.
    let _ = write!(page, "<article{class}>");
    if let Some(strip) = job.strip.as_ref().and_then(|path| fs::read(path).ok()) {
        let alt = escaped(&format!("{} and {}", job.made_of.join(", "), job.output));
        let data = BASE64_STANDARD.encode(strip);
        let _ = write!(page, "<img loading=\"lazy\" alt=\"{alt}\" src=\"data:image/jpeg;base64,{data}\">");
    }
    let _ =
        write!(page, "<h2>{}</h2><small>{}</small>", escaped(&job.output), escaped(&job.made_of.join(" + ")));
    if let Some(failure) = &job.failure {
        let _ = write!(page, "<p><b>Failed:</b> {}</p>", escaped(failure));
    } else if let Some(figures) = &job.figures {
        let losses: Vec<String> =
            figures.losses.iter().map(|(kind, loss)| format!(", {kind} {loss:.4e}")).collect();
        let _ = write!(
            page,
            "<p>{} x {} pixels, {} iterations, {}<br><small>loss {:.4e}{}</small></p>",
            figures.width,
            figures.height,
            figures.iterations,
            spoken(figures.seconds),
            figures.loss,
            escaped(&losses.concat()),
        );
    } else {
        let _ = write!(page, "<p>{}</p>", job.stands);
    }
    *page += "</article>\n";
}

/// A time for people: `42.0 s`, `12 min`, `3 h 20 min`.
fn spoken(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        _ if seconds < 99.5 => format!("{seconds:.1} s"),
        0..100 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// Text as HTML has it.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c if c.is_control() => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(output: &str, stands: &'static str) -> Entry {
        let made_of = vec!["photo.jpg".to_owned(), "waves.jpg".to_owned()];
        Entry { output: output.to_owned(), made_of, stands, failure: None, figures: None, strip: None }
    }

    #[test]
    fn failures_come_first_and_pictures_are_in_the_page() {
        let folder = tempfile::tempdir().unwrap();
        let strip = folder.path().join("strip.jpg");
        fs::write(&strip, b"strip").unwrap();
        let figures = Figures { width: 3, height: 2, seconds: 7300.0, ..Figures::default() };
        let done = Entry { figures: Some(figures), strip: Some(strip), ..entry("out/a.png", "done") };
        let failed = Entry { failure: Some("it <is> broken".into()), ..entry("b\"\n.png", "failed") };
        let page = report(&[done, entry("c.png", "not done yet"), failed]);
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text} in {page}"));
        assert!(
            at("it &lt;is&gt; broken") < at("<p>not done yet</p>")
                && at("<p>not done yet</p>") < at("3 x 2 pixels")
        );
        at("data:image/jpeg;base64,c3RyaXA=");
        at("b&quot;\\n.png");
        at("1 of 3 pictures");
        at("2 h 2 min");
        assert!(!page.contains("http"), "it needs nothing from elsewhere");
    }
}
