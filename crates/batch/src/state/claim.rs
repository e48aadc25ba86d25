//! Claims: who works at which job.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use super::Holder;

/// A claim of another host that was not touched for that long is free.
const ABANDONED: Duration = Duration::from_secs(120);

/// What came of asking for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is ours.
    Ours {
        /// Whether it was taken over from a process that is gone.
        abandoned: bool,
    },
    /// Somebody works at it.
    Held(Holder),
}

/// The claims in a folder, and those among them that are ours.
#[derive(Debug)]
pub(super) struct Claims {
    folder: PathBuf,
    lock: PathBuf,
    us: Holder,
    ours: Mutex<BTreeSet<String>>,
    /// Claims whose time is in the future, and since when they are seen unchanged.
    seen: Mutex<HashMap<PathBuf, (SystemTime, Instant)>>,
}

impl Claims {
    pub(super) fn new(folder: PathBuf, lock: PathBuf) -> Self {
        Self { folder, lock, us: Holder::this(), ours: Mutex::default(), seen: Mutex::default() }
    }

    pub(super) const fn us(&self) -> &Holder {
        &self.us
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    /// Does something while no other process changes a claim; where files cannot be locked, all the same.
    fn alone<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.lock)?;
        let locked = file.lock();
        let done = work();
        if locked.is_ok() {
            file.unlock().ok();
        }
        done
    }

    /// Takes the claim of a job, if it is free.
    pub(super) fn take(&self, name: &str) -> io::Result<Claim> {
        let path = self.path(name);
        let claim = self.alone(|| {
            let abandoned = match held(&path)? {
                None => false,
                Some(holder) if self.is_free(holder.as_ref(), &path)? => {
                    fs::remove_file(&path)?;
                    true
                }
                Some(holder) => return Ok(Claim::Held(holder.unwrap_or_else(unknown))),
            };
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(&serde_json::to_vec(&self.us)?)?;
                    Ok(Claim::Ours { abandoned })
                }
                // Somebody was there first, where there are no locks.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Claim::Held(unknown())),
                Err(error) => Err(error),
            }
        })?;
        if let (Claim::Ours { .. }, Ok(mut ours)) = (&claim, self.ours.lock()) {
            ours.insert(name.to_owned());
        }
        Ok(claim)
    }

    /// Whether a claim's holder is gone, or has not touched it for long: one that is stopped holds nothing up.
    fn is_free(&self, holder: Option<&Holder>, path: &Path) -> io::Result<bool> {
        let gone = holder.and_then(|holder| self.us.sees_gone(holder));
        Ok(gone == Some(true) || self.age(path)? > ABANDONED)
    }

    /// How long ago a claim was touched, by the clock of its file system.
    fn age(&self, path: &Path) -> io::Result<Duration> {
        let now = self.folder.join(format!(".clock-{}-{}", self.us.host.replace('/', "_"), self.us.process));
        File::create(&now)?.write_all(b"now")?;
        let now_is = fs::metadata(&now)?.modified()?;
        fs::remove_file(&now).ok();
        let touched = fs::metadata(path)?.modified()?;
        Ok(now_is.duration_since(touched).unwrap_or_else(|_| self.unchanged(path, touched)))
    }

    /// For how long a claim was seen with the same time.
    fn unchanged(&self, path: &Path, touched: SystemTime) -> Duration {
        let Ok(mut seen) = self.seen.lock() else { return Duration::ZERO };
        let known = seen.entry(path.into()).or_insert((touched, Instant::now()));
        if known.0 != touched {
            *known = (touched, Instant::now());
        }
        known.1.elapsed()
    }

    /// Gives the claim of a job back; one that was taken over meanwhile stays.
    pub(super) fn give_back(&self, name: &str) -> io::Result<()> {
        if let Ok(mut ours) = self.ours.lock() {
            ours.remove(name);
        }
        let path = self.path(name);
        self.alone(|| match held(&path)? {
            Some(Some(holder)) if holder == self.us => fs::remove_file(&path),
            _ => Ok(()),
        })
    }

    /// Touches all claims that are ours. One that is not any more, because this process was stopped for long, is left to its new holder.
    pub(super) fn touch(&self) -> io::Result<()> {
        let ours: Vec<String> =
            self.ours.lock().map(|ours| ours.iter().cloned().collect()).unwrap_or_default();
        for name in ours {
            let path = self.path(&name);
            if held(&path)?.flatten().is_some_and(|holder| holder == self.us) {
                touch(&path)?;
            }
        }
        Ok(())
    }
}

/// The holder of a claim: none if there is no claim, and in it none if the file does not tell.
#[allow(clippy::option_option)]
fn held(path: &Path) -> io::Result<Option<Option<Holder>>> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::other(format!("{} is no regular file: remove it", path.display())));
    }
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).ok())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn unknown() -> Holder {
    Holder { host: "unknown".into(), boot: String::new(), namespace: String::new(), process: 0, started: 0 }
}

/// Sets a file's time to now, by the clock of the file system where the system offers that.
fn touch(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    #[cfg(unix)]
    {
        use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};
        let at = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
        let times = Timestamps { last_access: at(UTIME_OMIT), last_modification: at(UTIME_NOW) };
        Ok(futimens(&file, &times)?)
    }
    #[cfg(not(unix))]
    file.set_modified(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(folder: &Path) -> Claims {
        Claims::new(folder.into(), folder.join("lock"))
    }

    /// The claims of another process.
    fn of(folder: &Path, us: Holder) -> Claims {
        Claims { us, ..claims(folder) }
    }

    fn elsewhere() -> Holder {
        Holder { host: "elsewhere".into(), ..Holder::this() }
    }

    fn age_by(path: &Path, by: Duration) {
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
    }

    #[test]
    fn a_job_has_one_holder_until_it_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (claims(folder.path()), of(folder.path(), elsewhere()));
        assert_eq!(one.take("a").unwrap(), Claim::Ours { abandoned: false });
        assert_eq!(other.take("a").unwrap(), Claim::Held(Holder::this()));
        assert_eq!(one.take("a").unwrap(), Claim::Held(Holder::this()), "nobody takes it twice");
        age_by(&one.path("a"), Duration::from_secs(130));
        assert_eq!(
            other.take("a").unwrap(),
            Claim::Ours { abandoned: true },
            "its process lives, and is stopped"
        );
        other.give_back("a").unwrap();
        assert_eq!(one.take("a").unwrap(), Claim::Ours { abandoned: false });
        other.give_back("a").unwrap();
        assert_eq!(other.take("a").unwrap(), Claim::Held(Holder::this()), "only its holder gives it back");
        one.give_back("a").unwrap();
        assert_eq!(other.take("a").unwrap(), Claim::Ours { abandoned: false });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_claim_of_a_dead_process_is_free_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let dead = Holder { started: Holder::this().started + 1, ..Holder::this() };
        assert_eq!(of(folder.path(), dead).take("a").unwrap(), Claim::Ours { abandoned: false });
        assert_eq!(claims(folder.path()).take("a").unwrap(), Claim::Ours { abandoned: true });
    }

    #[test]
    fn the_claim_of_another_host_is_free_after_two_minutes_without_a_touch() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (claims(folder.path()), of(folder.path(), elsewhere()));
        other.take("a").unwrap();
        age_by(&other.path("a"), Duration::from_secs(110));
        assert!(matches!(one.take("a").unwrap(), Claim::Held(_)));
        age_by(&other.path("a"), Duration::from_secs(130));
        other.touch().unwrap();
        assert!(matches!(one.take("a").unwrap(), Claim::Held(_)), "it was touched");
        age_by(&other.path("a"), Duration::from_secs(130));
        assert_eq!(one.take("a").unwrap(), Claim::Ours { abandoned: true });
        other.take("b").unwrap();
        let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
        File::options().write(true).open(one.path("b")).unwrap().set_modified(tomorrow).unwrap();
        assert!(matches!(one.take("b").unwrap(), Claim::Held(_)));
        let earlier = Instant::now().checked_sub(Duration::from_secs(130)).unwrap();
        one.seen.lock().unwrap().get_mut(&one.path("b")).unwrap().1 = earlier;
        assert_eq!(one.take("b").unwrap(), Claim::Ours { abandoned: true }, "it was seen unchanged for long");
        one.give_back("b").unwrap();
        age_by(&one.path("a"), Duration::from_secs(60));
        other.touch().unwrap();
        assert!(one.age(&one.path("a")).unwrap() > Duration::from_secs(50), "it is not its any more");
    }

    #[test]
    fn a_claim_that_says_nothing_is_free_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let claims = claims(folder.path());
        fs::write(claims.path("a"), "{\"host\": ").unwrap();
        assert_eq!(claims.take("a").unwrap(), Claim::Held(unknown()));
        age_by(&claims.path("a"), Duration::from_secs(130));
        assert_eq!(claims.take("a").unwrap(), Claim::Ours { abandoned: true });
    }

    #[test]
    fn many_that_ask_at_once_are_given_each_job_once() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        let taken = std::thread::scope(|scope| {
            let ask = |_| {
                let ask = || {
                    let claims = claims(folder.path());
                    let is_ours = |name: &&String| matches!(claims.take(name).unwrap(), Claim::Ours { .. });
                    names.iter().filter(is_ours).count()
                };
                scope.spawn(ask)
            };
            (0..4).map(ask).collect::<Vec<_>>().into_iter().map(|asked| asked.join().unwrap()).sum::<usize>()
        });
        assert_eq!(taken, names.len());
    }
}
