//! What DataVolumes are imported from, and what the importer makes of it.
//!
//! CDI main 2026-08: `cmd/cdi-importer/importer.go`, `pkg/importer/{http,registry}-datasource.go`.

use super::{Program, Registry, transfers};
use crate::latency::Latency;
use crate::objects::{Container, Pod};
use crate::quantity::Quantity;
use arcstr::{ArcStr, literal};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::Time;

/// What lies behind a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An image of this size.
    Image {
        /// Its size.
        size_bytes: u64,
    },
    /// An image whose checksum is not the one that the DataVolume states.
    ChecksumMismatch {
        /// Its size.
        size_bytes: u64,
    },
    /// Nothing: the server answers 404.
    NotFound,
}

/// How far a transfer is, in ten-thousandths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Progress(pub u32);

impl Progress {
    const WHOLE: u32 = 1_000_000;

    /// As CDI writes it, rounded: `12.50%`.
    pub fn text(self) -> ArcStr {
        let hundredths = (self.0 + 50) / 100;
        arcstr::format!("{}.{:02}%", hundredths / 100, hundredths % 100)
    }

    /// Whether everything is there.
    pub fn is_whole(self) -> bool {
        self.0 >= Self::WHOLE
    }
}

/// Sources by URL; a URL that is not here answers 404.
#[derive(Debug)]
pub struct Sources {
    behind: BTreeMap<ArcStr, Source>,
    unreachable: BTreeSet<ArcStr>,
    reports: BTreeMap<ArcStr, Option<Progress>>,
    /// Bytes a second of one import, one clone or one upload.
    pub bandwidth: u64,
}

impl Default for Sources {
    /// No sources, 100 MB/s.
    fn default() -> Self {
        Self {
            behind: BTreeMap::new(),
            unreachable: BTreeSet::new(),
            reports: BTreeMap::new(),
            bandwidth: 100_000_000,
        }
    }
}

impl Sources {
    /// Puts something behind a URL.
    pub fn put(&mut self, url: impl Into<ArcStr>, source: Source) {
        self.behind.insert(url.into(), source);
    }

    /// What lies behind a URL.
    pub fn get(&self, url: &str) -> &Source {
        self.behind.get(url).unwrap_or(&Source::NotFound)
    }

    /// Takes away what lies behind a URL: 404 from now on.
    pub fn remove(&mut self, url: &str) {
        self.behind.remove(url);
    }

    /// The server of a URL does not answer any more.
    pub fn break_url(&mut self, url: impl Into<ArcStr>) {
        self.unreachable.insert(url.into());
    }

    /// It answers again.
    pub fn heal_url(&mut self, url: &str) {
        self.unreachable.remove(url);
    }

    /// Determines what the metrics page of the pod with this IP says (`None`: it does not answer), in place of what
    /// follows from the source.
    pub fn report_progress(&mut self, pod_ip: impl Into<ArcStr>, progress: Option<Progress>) {
        self.reports.insert(pod_ip.into(), progress);
    }

    /// What one run of a container of an importer pod comes to that starts now.
    ///
    /// Images of registries are pulled through `registry`, by the node or by the importer itself.
    pub fn program(
        &self,
        registry: &Registry,
        latency: &Latency,
        pod: &Pod,
        container: &Container,
    ) -> Program {
        let import = Import { sources: self, registry, start: latency.import_failure };
        match container.name.as_str() {
            "importer" => import.importer(pod, container),
            "server" => import.server(container),
            "size-detection-volume" => {
                let message = container.variable("DISK_SIZE").unwrap_or_default().into();
                Program { message, ..Program::ends(latency.import_failure, 0) }
            }
            // Init containers copy a program and are done.
            _ => Program::ends(Duration::ZERO, 0),
        }
    }

    /// What the metrics page of an importer or a cloner says that runs; nothing before the first byte, and nothing where
    /// the size is not known.
    pub fn progress(&self, latency: &Latency, pod: &Pod, now: Time) -> Option<Progress> {
        let ip = pod.status.rest.get("podIP").and_then(serde_json::Value::as_str).unwrap_or_default();
        if let Some(report) = self.reports.get(ip) {
            return *report;
        }
        let size = self.known_size(pod)?;
        let started = pod.status.container_statuses.first()?.running()?.started_at?;
        let elapsed = now.saturating_since(started).checked_sub(latency.import_failure)?;
        // The importer counts once a second.
        let bytes = u128::from(elapsed.as_secs()) * u128::from(self.bandwidth);
        let share = bytes.min(size.into()) * u128::from(Progress::WHOLE) / u128::from(size.max(1));
        let progress = u32::try_from(share).expect("at most a million");
        (progress > 0).then_some(Progress(progress))
    }

    /// Whether a progress is told that changes while the importer runs.
    pub fn has_progress(&self, pod: &Pod) -> bool {
        let ip = pod.status.rest.get("podIP").and_then(serde_json::Value::as_str).unwrap_or_default();
        let first = pod.status.container_statuses.first();
        let runs = first.is_some_and(|status| status.running().is_some());
        self.reports.contains_key(ip) || (runs && self.known_size(pod).is_some())
    }

    /// How much a pod transfers that knows it: of a URL, or of the source of a clone.
    fn known_size(&self, pod: &Pod) -> Option<u64> {
        let worker = pod.spec.containers.first()?;
        let Some(url) = worker.variable("IMPORTER_ENDPOINT") else { return transfers::bytes_to_read(worker) };
        match self.get(url) {
            Source::Image { size_bytes } | Source::ChecksumMismatch { size_bytes } => Some(*size_bytes),
            Source::NotFound => None,
        }
    }

    pub(crate) fn transfer(&self, size_bytes: u64) -> Duration {
        let nanos = u128::from(size_bytes) * 1_000_000_000 / u128::from(self.bandwidth.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// One run of an importer pod.
struct Import<'a> {
    sources: &'a Sources,
    registry: &'a Registry,
    /// From the start of the program to the first answer of a source.
    start: Duration,
}

impl Import<'_> {
    fn importer(&self, pod: &Pod, container: &Container) -> Program {
        let endpoint = container.variable("IMPORTER_ENDPOINT").unwrap_or_default();
        let server = pod.spec.containers.iter().find(|container| container.name == "server");
        match (container.variable("IMPORTER_SOURCE").unwrap_or_default(), server) {
            ("none", _) => complete(self.start),
            (_, Some(server)) => self.import_from_server(pod, server),
            ("registry", _) => self.import_from_registry(endpoint, container),
            (kind, _) => self.import_from_url(kind, endpoint, container),
        }
    }

    fn import_from_url(&self, kind: &str, url: &str, container: &Container) -> Program {
        let cannot_connect = |why: &str| {
            let text = arcstr::format!("Unable to connect to {kind} data source: {why}");
            fails(self.start, text)
        };
        if self.sources.unreachable.contains(url) {
            let host = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or(url);
            return cannot_connect(&format!(
                "HTTP request errored: Get \"{url}\": dial tcp: lookup {host}: connect: connection refused"
            ));
        }
        match self.sources.get(url) {
            Source::NotFound => cannot_connect("expected status code 200, got 404. Status: 404 Not Found"),
            Source::Image { size_bytes } => self.receive(*size_bytes, container),
            Source::ChecksumMismatch { size_bytes } => {
                let Some(expected) = container.variable("IMPORTER_CHECKSUM") else {
                    return self.receive(*size_bytes, container);
                };
                let text = format!(
                    "Unable to process data: checksum mismatch: expected {expected}, calculated otherwise"
                );
                let message = serde_json::json!({ "message": text }).to_string().into();
                let runs = self.start.saturating_add(self.sources.transfer(*size_bytes));
                Program { message, ..Program::ends(runs, 0) }
            }
        }
    }

    /// Reads an image of a size, unless it is too large for the claim.
    fn receive(&self, size_bytes: u64, container: &Container) -> Program {
        let available = available_space(container, "IMPORTER_IMAGE_SIZE");
        if let Some(available) = available.filter(|available| size_bytes > *available) {
            let text = arcstr::format!(
                "Unable to process data: virtual image size {size_bytes} is larger than the reported available storage \
                 {available}. A larger PVC is required"
            );
            return fails(self.start, text);
        }
        complete(self.start.saturating_add(self.sources.transfer(size_bytes)))
    }

    /// Pull method pod: the importer reads the registry itself.
    fn import_from_registry(&self, endpoint: &str, container: &Container) -> Program {
        let image = endpoint.split_once("://").map_or(endpoint, |(_, image)| image);
        let pull = self.registry.pull(image, None);
        match pull.result {
            Ok(image) => {
                let read = self.receive(image.size_bytes, container);
                let runs = read.runs.map(|runs| runs.saturating_add(pull.takes));
                Program { runs, ..read }
            }
            Err(why) => {
                let text = arcstr::format!(
                    "Unable to process data: Unable to transfer source data to scratch space: Failed to read registry \
                     image: failed to pull image: {why}"
                );
                fails(pull.takes, text)
            }
        }
    }

    /// Pull method node: the server container offers the image once the node has pulled it; for 60 s the importer waits.
    fn import_from_server(&self, pod: &Pod, server: &Container) -> Program {
        const TIMEOUT: Duration = Duration::from_secs(60);
        let status = pod.status.container_statuses.iter().find(|status| status.name == server.name);
        let runs = status.is_some_and(|status| status.running().is_some());
        let pull = self.registry.pull(&server.image, None);
        // It looks once a second.
        let wait = if runs { Duration::ZERO } else { Duration::from_secs(pull.takes.as_secs() + 1) };
        match pull.result {
            Ok(image) if wait < TIMEOUT => {
                let transfer = self.sources.transfer(image.size_bytes);
                complete(wait.saturating_add(self.start).saturating_add(transfer))
            }
            _ => fails(TIMEOUT, literal!("Timeout waiting for file /shared/ready")),
        }
    }

    /// The server ends when the importer says that it is done.
    fn server(&self, container: &Container) -> Program {
        let size = self.registry.pull(&container.image, None).result.map_or(0, |image| image.size_bytes);
        Program::ends(self.start.saturating_add(self.sources.transfer(size)), 0)
    }
}

fn complete(runs: Duration) -> Program {
    let message = literal!(
        r#"{"scratchSpaceRequired":false,"preallocationApplied":false,"message":"Import Complete"}"#
    );
    Program { message, ..Program::ends(runs, 0) }
}

fn fails(runs: Duration, message: ArcStr) -> Program {
    Program { message, ..Program::ends(runs, 1) }
}

/// What the claim can hold: its size, in a variable of this name, without what the file system takes.
pub(super) fn available_space(container: &Container, variable: &str) -> Option<u64> {
    const MIB: i64 = 1024 * 1024;
    let size = Quantity::parse(container.variable(variable)?).ok()?.value();
    let overhead: f64 = container.variable("FILESYSTEM_OVERHEAD")?.parse().ok()?;
    let usable = (size as f64 / (1.0 + overhead)).ceil() as i64 / MIB * MIB;
    u64::try_from(if overhead == 0.0 { size } else { usable }).ok()
}

#[cfg(test)]
mod tests {
    use super::{Progress, Source, Sources};
    use crate::environment::{Image, Program, Registry};
    use crate::latency::Latency;
    use crate::objects::{Container, EnvVar, Pod, PodSpec, Rest};
    use std::sync::Arc;
    use std::time::Duration;

    const URL: &str = "http://images.example/disk.img";

    fn container(name: &str, image: &str, variables: &[(&str, &str)]) -> Container {
        let env = variables.iter().map(|(name, value)| EnvVar {
            name: (*name).into(),
            value: (*value).into(),
            rest: Rest::default(),
        });
        Container { name: name.into(), image: image.into(), env: env.collect(), ..Container::default() }
    }

    fn run(sources: &Sources, registry: &Registry, containers: Vec<Container>) -> Program {
        let importer = containers[0].clone();
        let pod = Pod { spec: Arc::new(PodSpec { containers, ..PodSpec::default() }), ..Pod::default() };
        sources.program(registry, &Latency::default(), &pod, &importer)
    }

    fn http() -> Vec<Container> {
        vec![container("importer", "", &[("IMPORTER_SOURCE", "http"), ("IMPORTER_ENDPOINT", URL)])]
    }

    #[test]
    fn a_server_that_does_not_answer_is_told_from_one_that_has_nothing() {
        let mut sources = Sources::default();
        sources.put(URL, Source::Image { size_bytes: 300_000_000 });
        assert_eq!(run(&sources, &Registry::default(), http()).runs, Some(Duration::from_secs(4)));
        sources.break_url(URL);
        let refused = run(&sources, &Registry::default(), http());
        assert!(refused.exit_code == 1 && refused.message.contains("connection refused"), "{refused:?}");
        sources.heal_url(URL);
        sources.remove(URL);
        let nothing = run(&sources, &Registry::default(), http());
        assert!(nothing.exit_code == 1 && nothing.message.contains("got 404"), "{nothing:?}");
    }

    #[test]
    fn a_checksum_that_nobody_states_is_not_compared() {
        let mut sources = Sources::default();
        sources.put(URL, Source::ChecksumMismatch { size_bytes: 1 });
        assert!(run(&sources, &Registry::default(), http()).message.contains("Import Complete"));
    }

    #[test]
    fn an_importer_waits_a_minute_for_an_image_that_the_node_pulls() {
        let mut registry = Registry::default();
        let containers = || {
            let url = "http://localhost:8100/disk.img";
            let importer = [("IMPORTER_SOURCE", "http"), ("IMPORTER_ENDPOINT", url)];
            vec![container("importer", "", &importer), container("server", "registry.example/disk:v1", &[])]
        };
        let timeout = run(&Sources::default(), &registry, containers());
        assert_eq!((timeout.runs, timeout.exit_code), (Some(Duration::from_secs(60)), 1));
        registry.push("registry.example/disk:v1", Image { size_bytes: 100_000_000 });
        let complete = run(&Sources::default(), &registry, containers());
        assert_eq!(
            (complete.runs, complete.exit_code),
            (Some(Duration::from_secs(5)), 0),
            "pull, answer, transfer"
        );
    }

    #[test]
    fn progress_is_written_with_two_decimals() {
        assert_eq!(Progress(120_450).text(), "12.05%");
        assert_eq!(Progress(120_449).text(), "12.04%");
    }

    #[test]
    fn what_is_written_as_all_need_not_be_all() {
        assert_eq!(Progress(999_990).text(), "100.00%");
        assert!(!Progress(999_990).is_whole());
        assert!(Progress(1_000_000).is_whole());
    }
}
