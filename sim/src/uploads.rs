//! UPLOADS: what a user sends to a DataVolume that waits for it, as `virtctl image-upload` does.
//!
//! KubeVirt main 2026-08: `pkg/virtctl/imageupload/imageupload.go`; CDI main 2026-08: `pkg/uploadserver/uploadserver.go`. Proxy, token
//! and certificates are left out: the image comes straight to the server.

use crate::cluster::Cluster;
use crate::controllers::cdi_upload_server;
use crate::controllers::kubelet::container_exits;
use crate::environment::transfers;
use crate::objects::{DataVolume, PersistentVolumeClaim, Pod};
use arcstr::ArcStr;
use std::sync::Arc;

/// Why an image was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// There is no such DataVolume.
    #[error("there is no DataVolume `{namespace}/{name}` at this instant")]
    NotFound {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// Its server does not take anything: there is none, it is not ready, or it has been sent something.
    #[error(
        "DataVolume `{name}` takes no upload at this instant: expected phase UploadReady, it is {phase}; upload later"
    )]
    NotReady {
        /// `namespace/name`.
        name: String,
        /// The phase that it is in.
        phase: ArcStr,
    },
    /// The server refuses what its claim cannot hold.
    #[error(
        "DataVolume `{name}` refuses the upload: virtual image size {size} is larger than the reported available storage \
         {available}; expected at most that, make the claim larger"
    )]
    TooLarge {
        /// `namespace/name`.
        name: String,
        /// The image's, in bytes.
        size: u64,
        /// What fits, in bytes.
        available: u64,
    },
}

impl Cluster {
    /// Sends an image of this many bytes to the upload server of a DataVolume, which ends when it has it all; the time
    /// that this takes is that of other transfers ([`crate::environment::Sources::bandwidth`]).
    ///
    /// What is sent is lost if the server is gone by then, and nobody sends it again.
    ///
    /// # Errors
    ///
    /// If the DataVolume is not there or not UploadReady, or the image does not fit.
    ///
    /// # Examples
    ///
    /// ```
    /// use stuckvm_sim::{Cluster, Config, UploadError};
    ///
    /// let mut cluster = Cluster::new(Config::default());
    /// let error = cluster.upload_image("default", "disk", 1 << 30).unwrap_err();
    /// assert!(matches!(error, UploadError::NotFound { .. }));
    /// ```
    pub fn upload_image(&mut self, namespace: &str, name: &str, size: u64) -> Result<(), UploadError> {
        let Some((_, dv)) = self.view().named::<DataVolume>(namespace, name) else {
            let (namespace, name) = (namespace.to_owned(), name.to_owned());
            return Err(UploadError::NotFound { namespace, name });
        };
        let phase = dv.status.phase.clone();
        let name = format!("{namespace}/{name}");
        let server = self.upload_server(dv).filter(|_| phase == "UploadReady");
        let Some(server) = server else { return Err(UploadError::NotReady { name, phase }) };
        let container = server.pod.spec.containers.first();
        if let Some(available) = container.and_then(transfers::room).filter(|available| size > *available) {
            return Err(UploadError::TooLarge { name, size, available });
        }
        let takes = self.environment_mut().sources.transfer(size);
        let seat = self.seat_of("kubelet").expect("a pod that runs has a kubelet");
        self.with_controller(seat, |_, cx| cx.complete_after(takes, server.exit));
        Ok(())
    }

    /// The server that writes a DataVolume's claim, or the claim that is filled in its stead.
    fn upload_server(&self, dv: &DataVolume) -> Option<Server> {
        let view = self.view();
        let (_, claim) = view.named::<PersistentVolumeClaim>(&dv.metadata.namespace, &dv.metadata.name)?;
        let (id, pod) = cdi_upload_server(view, claim)?;
        Some(Server { exit: container_exits(id, pod).into_iter().next()?, pod: Arc::clone(pod) })
    }
}

/// An upload server that runs.
struct Server {
    pod: Arc<Pod>,
    /// Its end.
    exit: crate::work_queue::Work,
}
