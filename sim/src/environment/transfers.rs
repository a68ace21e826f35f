//! What goes into an upload server, be it from a user or from the pod that reads the source of a clone.
//!
//! CDI main 2026-08: `cmd/cdi-cloner/clone-source.go`, `cmd/cdi-uploadserver/uploadserver.go`.

use super::sources::available_space;
use super::{Program, Sources};
use crate::latency::Latency;
use crate::objects::{Container, Pod};
use arcstr::literal;

/// The variable that says how much a clone reads.
const UPLOAD_BYTES: &str = "UPLOAD_BYTES";

/// Whether a pod sends what it reads to an upload server, which ends with it.
pub(crate) fn is_sender(pod: &Pod) -> bool {
    pod.metadata.labels.has("cdi.kubevirt.io", "cdi-clone-source")
}

/// How much a clone reads, by its container.
pub(super) fn bytes_to_read(container: &Container) -> Option<u64> {
    container.variable(UPLOAD_BYTES)?.parse().ok()
}

/// What the cloner does: it reads everything and sends it.
pub(super) fn cloner(sources: &Sources, latency: &Latency, container: &Container) -> Program {
    let transfer = sources.transfer(bytes_to_read(container).unwrap_or(0));
    let is_preallocated = container.variable("PREALLOCATION") == Some("true");
    let message = if is_preallocated {
        literal!("Clone Complete, Preallocation applied")
    } else {
        literal!("Clone Complete")
    };
    Program { message, ..Program::ends(latency.import_failure.saturating_add(transfer), 0) }
}

/// What the upload server does: it runs until everything has come in. Who has no scratch space serves a clone.
pub(super) fn server(pod: &Pod) -> Program {
    let is_upload = pod.spec.volumes.iter().any(|volume| volume.name == "cdi-scratch-vol");
    let message = if is_upload {
        literal!(r#"{"message":"Upload Complete"}"#)
    } else {
        literal!(r#"{"message":"Clone Complete"}"#)
    };
    Program { message, ..Program::forever() }
}

/// How large an image an upload server takes, by its container.
pub(crate) fn room(container: &Container) -> Option<u64> {
    available_space(container, "UPLOAD_IMAGE_SIZE")
}

/// What becomes of a cloner whose server is gone: upstream's words (`klog.Fatalf`, exit code 255).
pub(crate) fn connection_lost(container: &Container) -> Program {
    let url = container.variable("UPLOAD_URL").unwrap_or_default();
    let message = arcstr::format!("Error Post \"{url}\": EOF POSTing to {url}");
    Program { message, exit_code: 255, ..Program::default() }
}

#[cfg(test)]
mod tests {
    use super::{cloner, server};
    use crate::environment::Sources;
    use crate::latency::Latency;
    use crate::objects::{Container, EnvVar, Pod, PodSpec, PodVolume, Rest};
    use std::sync::Arc;
    use std::time::Duration;

    fn variable(name: &str, value: &str) -> EnvVar {
        EnvVar { name: name.into(), value: value.into(), rest: Rest::default() }
    }

    #[test]
    fn a_clone_takes_as_long_as_its_source_is_large() {
        let env = vec![variable("UPLOAD_BYTES", "500000000")];
        let mut container = Container { env, ..Container::default() };
        let run = |container: &Container| cloner(&Sources::default(), &Latency::default(), container);
        // 1 s until it has begun, 500 MB at 100 MB/s.
        assert_eq!(run(&container).runs, Some(Duration::from_secs(6)));
        assert_eq!(run(&container).message, "Clone Complete");
        container.env.push(variable("PREALLOCATION", "true"));
        assert_eq!(run(&container).message, "Clone Complete, Preallocation applied");
    }

    #[test]
    fn a_server_runs_until_it_is_sent_something_and_says_what_that_was() {
        let mut pod = Pod::default();
        assert_eq!((server(&pod).runs, server(&pod).exit_code), (None, 0));
        assert!(server(&pod).message.contains("Clone Complete"));
        let volumes = vec![PodVolume { name: "cdi-scratch-vol".into(), ..PodVolume::default() }];
        pod.spec = Arc::new(PodSpec { volumes, ..PodSpec::default() });
        assert!(server(&pod).message.contains("Upload Complete"));
    }
}
