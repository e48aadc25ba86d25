//! `--log`: one JSON object a line, one line an iteration, each written out at once. `docs/log.md` says what each field is, and
//! `docs/log.schema.json` what each may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::SystemTime;

use impasto_style::{Breakdown, LossKind, Progress, Search, TermLoss};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::place::{Kind, Place};
use crate::progress::Display;

/// A log that is opened when the run starts: until then an older one stays.
pub(crate) struct Log {
    place: Place,
    to: Option<Box<dyn Write>>,
}

/// Named values in the order in which they are written.
struct Line(Vec<(String, Value)>);

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The names that every line has, whether their losses count or not.
const ALWAYS: [LossKind; 3] = [LossKind::Content, LossKind::Gram, LossKind::TotalVariation];

/// Values by name, in the order of the names.
fn object(values: impl Iterator<Item = (String, Value)>) -> Value {
    Value::Object(values.collect::<BTreeMap<_, _>>().into_iter().collect())
}

/// The line of an iteration: when and where it was, L, the sum of each kind of loss, each layer's own loss, and if there are regions
/// each region's at each layer, how L-BFGS moved, and each term as it is and as it counts. Other names than those of [`ALWAYS`] are
/// there if they count. A study's lines say of which cell they are.
fn line(progress: &Progress<'_>, cell: Option<&str>) -> Line {
    let losses = progress.losses;
    let counts = |kind| losses.has(kind);
    // A kind that does not count is there unless one of its name does.
    let is_named =
        |kind: LossKind| LossKind::ALL.into_iter().any(|it| it.name() == kind.name() && counts(it));
    let is_there = |kind: LossKind| counts(kind) || ALWAYS.contains(&kind) && !is_named(kind);
    let kinds = || LossKind::ALL.into_iter().filter(|&kind| is_there(kind));
    let mut fields = Vec::new();
    let mut put = |name: &str, value: Value| fields.push((name.to_owned(), value));
    put("iteration", progress.iteration.into());
    put("evaluations", progress.evaluations.into());
    put("seconds", progress.elapsed.as_secs_f64().into());
    put("scale", (progress.scale + 1).into());
    put("width", progress.size.1.into());
    put("height", progress.size.0.into());
    put("loss", losses.total.into());
    for kind in kinds() {
        put(kind.name(), losses.sum(kind).into());
    }
    let regions = regions(losses);
    // The layers of a style in regions are those of each.
    let is_of_regions = |kind: LossKind| regions.is_some() && kind.is_of_sums();
    for kind in kinds().filter(|&kind| kind.is_of_a_layer() && !is_of_regions(kind)) {
        let layers = object(losses.layers(kind).map(|(layer, loss)| (layer.to_owned(), loss.into())));
        put(&format!("{}_layers", kind.name()), layers);
    }
    if let Some(regions) = regions {
        put("style_regions", regions);
    }
    put("gradient_norm", progress.gradient_norm.into());
    put("step", progress.step.into());
    if let Some(search) = progress.search {
        searched(search, &mut put);
    }
    put("terms", losses.terms.iter().map(term).collect());
    if let Some(cell) = cell {
        put("cell", cell.into());
    }
    Line(fields)
}

/// The line of an iteration of a job of a batch: its name, its picture and the time of day, then what every line has.
pub(crate) fn job_line(progress: &Progress<'_>, job: &str, file: &str) -> Vec<u8> {
    let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let Line(fields) = line(progress, None);
    let of_job = [("job", job), ("file", file), ("time", &now)];
    let of_job = of_job.map(|(name, value)| (name.to_owned(), Value::from(value)));
    let mut bytes = serde_json::to_vec(&Line(of_job.into_iter().chain(fields).collect())).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// What the line search saw.
fn searched(search: &Search, put: &mut impl FnMut(&str, Value)) {
    put("trials", search.trials.into());
    put("loss_before", search.loss_before.into());
    put("slope_before", search.slope_before.into());
    put("slope", search.slope.into());
    put("decrease_margin", search.decrease_margin().into());
    put("curvature_margin", search.curvature_margin().into());
    put("steepest", search.steepest.into());
}

/// A term: its loss as the equation has it, times its factor, and times its weight, as it counts in L.
fn term(term: &TermLoss) -> Value {
    let mut entry = json!({
        "loss": term.loss,
        "factor": term.weight.share,
        "scaled": term.weight.share * term.loss,
        "weight": term.weight.sum,
        "weighted": term.weight.product() * term.loss,
        "kind": kind_name(term.kind),
    });
    if let Some(layer) = &term.layer {
        entry["layer"] = layer.as_str().into();
    }
    if let Some(region) = &term.region {
        entry["region"] = region.as_str().into();
    }
    entry
}

/// The name of a kind of loss in a list of terms, where each has its own.
const fn kind_name(kind: LossKind) -> &'static str {
    match kind {
        LossKind::Gram => "gram",
        LossKind::Wasserstein => "wasserstein",
        LossKind::NinePoints => "tv9",
        kind => kind.name(),
    }
}

/// The losses of the style of each region at each layer; none if there are no regions.
fn regions(losses: &Breakdown) -> Option<Value> {
    let names: BTreeSet<&str> = losses.terms.iter().filter_map(|term| term.region.as_deref()).collect();
    let of = |region| losses.layers_of(region).map(|(layer, loss)| (layer.to_owned(), loss.into()));
    let regions = names.iter().map(|&region| (region.to_owned(), object(of(region))));
    (!names.is_empty()).then(|| object(regions))
}

impl Log {
    /// Checks the place.
    pub(crate) fn new(path: &Path) -> Result<Self, Failure> {
        Ok(Self { place: Place::new(path, Kind::Text)?, to: None })
    }

    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.place.path()
    }

    /// Starts an empty log; where `done` iterations are done already, a file keeps what it has of those, and later lines are
    /// cut. A file that is then no log is an error, and stays as it is.
    pub(crate) fn start(&mut self, done: usize) -> Result<(), Failure> {
        self.to = Some(match &self.place {
            Place::Stdout => Box::new(io::stdout()),
            Place::File(path) => {
                let file = if done > 0 && path.is_file() { cut(path, done) } else { File::create(path) };
                Box::new(file.map_err(|error| self.cannot_write(&error))?)
            }
        });
        Ok(())
    }

    /// Opens a log that several calls write to, behind what is there.
    pub(crate) fn append(&mut self) -> Result<(), Failure> {
        self.to = Some(match &self.place {
            Place::Stdout => Box::new(io::stdout()),
            Place::File(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path);
                Box::new(file.map_err(|error| self.cannot_write(&error))?)
            }
        });
        Ok(())
    }

    /// Adds a line in one piece.
    pub(crate) fn write_line(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some(to) = &mut self.to else { return Ok(()) };
        to.write_all(bytes).and_then(|()| to.flush()).map_err(|error| self.cannot_write(&error))
    }

    /// Adds the line of an iteration to a log that was started.
    pub(crate) fn write(&mut self, progress: &Progress<'_>) -> Result<(), Failure> {
        self.write_of(progress, None)
    }

    /// [`Self::write`] of an iteration of a cell of a study.
    pub(crate) fn write_of(&mut self, progress: &Progress<'_>, cell: Option<&str>) -> Result<(), Failure> {
        let mut bytes = serde_json::to_vec(&line(progress, cell)).map_err(Failure::failed)?;
        bytes.push(b'\n');
        self.write_line(&bytes)
    }

    fn cannot_write(&self, error: &io::Error) -> Failure {
        let to = if self.path().is_none() { "to " } else { "" };
        Failure::failed(format!("cannot write {to}{}: {error}", self.place.name()))
    }
}

/// A log beside a work that goes on without it: the first thing that goes wrong is told at once, and again at the end.
pub(crate) struct Logged {
    /// None where no log was asked for, or after it failed.
    log: Option<Log>,
    is_started: bool,
    pub(crate) failure: Option<Failure>,
}

impl Logged {
    /// Checks the place, if there is to be a log.
    pub(crate) fn new(path: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self { log: path.map(Log::new).transpose()?, is_started: false, failure: None })
    }

    /// The line of an iteration of the cell of that name, or of the one run if it has none; before the first one an older log goes.
    pub(crate) fn write(&mut self, progress: &Progress<'_>, cell: Option<&str>, display: &mut Display) {
        let Some(mut log) = self.log.take() else { return };
        let started = if self.is_started { Ok(()) } else { log.start(0) };
        self.is_started = true;
        match started.and_then(|()| log.write_of(progress, cell)) {
            Ok(()) => self.log = Some(log),
            Err(failure) => {
                display.goes_on_without(&failure);
                self.failure = Some(failure);
            }
        }
    }
}

/// More than a line of a log ever has.
const MOST_LINE: u64 = 1 << 20;

/// The log up to iteration `done`. A line that is not whole, as a run leaves it that was killed, is cut too; but not the first
/// one: a file is a log by a whole line, or it is empty.
fn cut(path: &Path, done: usize) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let (mut lines, mut line, mut end) = (BufReader::new(&file), Vec::new(), 0);
    while lines.by_ref().take(MOST_LINE).read_until(b'\n', &mut line)? > 0 {
        match iteration(&line) {
            Some(iteration) if iteration <= done as u64 => end += line.len() as u64,
            None if end == 0 => {
                let reason = "it is no log of impasto, which this run could go on with; choose another file";
                return Err(io::Error::other(reason));
            }
            _ => break,
        }
        line.clear();
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(file)
}

/// The iteration of a whole line of a log; none of anything else.
fn iteration(line: &[u8]) -> Option<u64> {
    let line: Value = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
    let is_of_a_run = line["evaluations"].is_u64() && line["loss"].is_number();
    line["iteration"].as_u64().filter(|_| is_of_a_run)
}

#[cfg(test)]
mod tests {
    use impasto_style::{TermLoss, Weight};

    use super::*;

    #[test]
    fn each_region_has_the_losses_of_its_layers() {
        let term = |layer: &str, region: Option<&str>, loss| TermLoss {
            kind: LossKind::Gram,
            layer: Some(layer.to_owned()),
            region: region.map(str::to_owned),
            weight: Weight::alone(1.0),
            loss,
        };
        let breakdown = |terms| Breakdown { total: 0.0, terms };
        let terms = vec![
            term("conv2_1", Some("sky"), 2.0),
            term("conv1_1", Some("sky"), 3.0),
            term("conv1_1", Some("-"), 5.0),
        ];
        let expected = r#"{"-":{"conv1_1":5.0},"sky":{"conv1_1":3.0,"conv2_1":2.0}}"#;
        assert_eq!(regions(&breakdown(terms)).unwrap().to_string(), expected);
        assert_eq!(regions(&breakdown(vec![term("conv1_1", None, 1.0)])), None);
    }
}
