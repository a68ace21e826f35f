//! A Prometheus server as a calculator: started for a run, fed by remote write, asked by range queries, killed.
//!
//! It scrapes nothing and has no rules. Its data lies in a directory of its own that goes away with it.

use super::remote_write::{self, HEADERS};
use super::samples::{Labels, Point};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The flags that 2.42 and 3.x share. Blocks of 200 years are never full, so the server does nothing on its own with what it is
/// given, and takes samples of any age.
const FLAGS: [&str; 6] = [
    "--web.enable-remote-write-receiver",
    "--log.level=error",
    "--query.max-samples=1000000000",
    "--storage.tsdb.retention.time=100y",
    "--storage.tsdb.min-block-duration=200y",
    "--storage.tsdb.max-block-duration=200y",
];

/// How long a server may take until it answers; it takes a tenth of a second.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long one answer may take. A query that takes a minute would be one over a hundred thousand machines.
const ANSWER_LIMIT: Duration = Duration::from_secs(600);

/// How often another port is tried, if someone takes the free one in between.
const START_TRIES: usize = 3;

/// Why there is no answer from a server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// There is no such program.
    #[error(
        "no Prometheus: `{}` cannot be started ({source}); install it (Debian: apt-get install prometheus; others: \
         prometheus.io/download), or name the program with --prometheus FILE", program.display()
    )]
    Missing {
        /// What was to be started.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The program ended, or never answered.
    #[error("`{}` did not become ready: {said}", program.display())]
    NotReady {
        /// What was started.
        program: PathBuf,
        /// What it said, or that it said nothing.
        said: String,
    },
    /// There is no place for its data, or no port.
    #[error("a directory and a port for Prometheus: {0}")]
    Place(#[source] io::Error),
    /// The connection broke.
    #[error("Prometheus does not answer: {0}")]
    Http(#[from] ureq::Error),
    /// It answered something else than a Prometheus does.
    #[error("Prometheus answered {status}: {text}")]
    Answer {
        /// The HTTP status.
        status: u16,
        /// What it said.
        text: String,
    },
}

/// Which program to start, and how it looks back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The program; `prometheus` is looked for on the PATH.
    pub program: PathBuf,
    /// How a 2.x server looks back; 3.x has only one way.
    pub lookback: Lookback,
}

impl Default for Engine {
    fn default() -> Self {
        Self { program: "prometheus".into(), lookback: Lookback::Open }
    }
}

impl Engine {
    /// Whether there is such a program, before any work is done for it.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn check(&self) -> Result<(), ServerError> {
        major_version(&self.program).map(drop)
    }
}

/// Whether a sample exactly five minutes old is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookback {
    /// It is not: as 3.x has it. Instants being whole milliseconds, a 2.x server that looks back 299.999 s does the same.
    Open,
    /// It is: what 2.x does unless told otherwise.
    Closed,
}

/// A running server. It is killed when it goes out of scope, also by a panic.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    url: String,
    agent: ureq::Agent,
    version: String,
    /// Removed after the server is gone: fields are dropped after `Drop::drop`.
    directory: TempDir,
}

impl Server {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    ///
    /// If there is no such program, or it does not become ready.
    pub fn start(engine: &Engine) -> Result<Self, ServerError> {
        let major = major_version(&engine.program)?;
        let mut tries = 1;
        loop {
            match Self::try_start(engine, major) {
                Err(ServerError::NotReady { said, .. })
                    if tries < START_TRIES && said.contains("address already in use") =>
                {
                    tries += 1;
                }
                started => return started,
            }
        }
    }

    fn try_start(engine: &Engine, major: u32) -> Result<Self, ServerError> {
        let directory = tempfile::Builder::new().prefix("stuckvm-prometheus-").tempdir();
        let directory = directory.map_err(ServerError::Place)?;
        let url = format!("127.0.0.1:{}", free_port().map_err(ServerError::Place)?);
        let mut command = Command::new(&engine.program);
        command.args(FLAGS).args(paths(directory.path()).map_err(ServerError::Place)?);
        command.arg(format!("--web.listen-address={url}"));
        if major < 3 && engine.lookback == Lookback::Open {
            command.arg("--query.lookback-delta=299999ms");
        }
        let log = File::create(directory.path().join("log")).map_err(ServerError::Place)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(|source| missing(&engine.program, source))?;
        let mut server =
            Self { child, url: format!("http://{url}"), agent: agent(), version: String::new(), directory };
        server.wait_until_ready(&engine.program)?;
        server.version = server.ask_version()?;
        Ok(server)
    }

    /// The version that it says it is, such as `2.42.0+ds`; empty where the program was built without one.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Stores samples.
    ///
    /// # Errors
    ///
    /// If the server refuses them, for instance as out of order.
    pub fn write<'a>(
        &self,
        series: impl IntoIterator<Item = (&'a Labels, &'a [Point])>,
    ) -> Result<(), ServerError> {
        for body in remote_write::bodies(series) {
            let post = self.agent.post(format!("{}/api/v1/write", self.url));
            let post = HEADERS.iter().fold(post, |post, (name, value)| post.header(*name, *value));
            let (status, text) = read(post.send(&body[..])?)?;
            if status >= 300 {
                return Err(ServerError::Answer { status, text });
            }
        }
        Ok(())
    }

    /// Posts a form to a path of the API; the answer's status and text.
    pub(super) fn ask(&self, path: &str, form: &[(&str, &str)]) -> Result<(u16, String), ServerError> {
        read(self.agent.post(format!("{}{path}", self.url)).send_form(form.iter().copied())?)
    }

    fn wait_until_ready(&mut self, program: &Path) -> Result<(), ServerError> {
        let url = format!("{}/-/ready", self.url);
        let begun = Instant::now();
        loop {
            if self.agent.get(&url).call().is_ok_and(|answer| answer.status() == 200) {
                return Ok(());
            }
            let ended = self.child.try_wait().is_ok_and(|status| status.is_some());
            if ended || begun.elapsed() > START_LIMIT {
                let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
                let said = log.lines().last().unwrap_or("it said nothing").to_owned();
                return Err(ServerError::NotReady { program: program.to_owned(), said });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ask_version(&self) -> Result<String, ServerError> {
        let (_, text) = read(self.agent.get(format!("{}/api/v1/status/buildinfo", self.url)).call()?)?;
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        Ok(answer["data"]["version"].as_str().unwrap_or_default().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to be done about either failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first number of the version that `--version` tells; builds without a version say so, and are new ones.
fn major_version(program: &Path) -> Result<u32, ServerError> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|source| missing(program, source))?;
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Ok(major_of(&text).unwrap_or(3))
}

fn major_of(text: &str) -> Option<u32> {
    let version = text.split("version ").nth(1)?;
    version.split('.').next()?.trim_start_matches('v').parse().ok()
}

fn missing(program: &Path, source: io::Error) -> ServerError {
    ServerError::Missing { program: program.to_owned(), source }
}

/// A configuration that asks for nothing, and a place for the data.
fn paths(directory: &Path) -> io::Result<[OsString; 2]> {
    let config = directory.join("prometheus.yml");
    fs::write(&config, "global: {}\n")?;
    let flag = |name: &str, path: &Path| {
        let mut flag = OsString::from(name);
        flag.push(path);
        flag
    };
    Ok([flag("--config.file=", &config), flag("--storage.tsdb.path=", &directory.join("data"))])
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A client for this machine only: no proxy of the environment, and a refusal is an answer.
fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    config.timeout_global(Some(ANSWER_LIMIT)).build().into()
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<(u16, String), ServerError> {
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(u64::MAX).read_to_string()?;
    Ok((status, text))
}

#[cfg(test)]
mod tests {
    use super::{Engine, Server, major_of};

    #[test]
    fn the_major_version_is_read_from_what_the_program_says() {
        let table = [
            ("prometheus, version 2.42.0+ds (branch: debian/sid)", Some(2)),
            ("prometheus, version 3.15.0 (branch: HEAD)", Some(3)),
            ("prometheus, version  (branch: , revision: unknown)", None),
            ("something else", None),
        ];
        for (text, major) in table {
            assert_eq!(major_of(text), major, "{text}");
        }
    }

    #[test]
    fn without_the_program_one_sentence_says_how_to_get_it() {
        let engine = Engine { program: "/nowhere/prometheus".into(), ..Engine::default() };
        let error = Server::start(&engine).expect_err("there is no such program").to_string();
        assert!(error.starts_with("no Prometheus: `/nowhere/prometheus` cannot be started ("), "{error}");
        assert!(error.ends_with("or name the program with --prometheus FILE"), "{error}");
    }

    #[test]
    fn a_program_that_is_no_prometheus_is_told_of() {
        let engine = Engine { program: "false".into(), ..Engine::default() };
        let error = Server::start(&engine).expect_err("it ends at once").to_string();
        assert_eq!(error, "`false` did not become ready: it said nothing");
    }
}
