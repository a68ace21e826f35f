//! What a DataVolume is filled from, and how that is told to the import controller.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/controller-base.go` (`getDataVolumeOp`), `import-controller.go`
//! (`updateAnnotations`), `pkg/controller/common/util.go` (`Update…Annotations`).

use super::clone_source;
use crate::controllers::cdi::annotations as ann;
use crate::objects::{DataVolume, StrMap};
use crate::store::View;
use arcstr::ArcStr;
use serde_json::Value;

/// What a DataVolume asks for, by its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataVolumeOp {
    /// http, s3, gcs, registry, blank, imageio, vddk.
    Import,
    /// Somebody uploads it.
    Upload,
    /// Another claim is copied.
    PvcClone,
    /// A snapshot is copied.
    SnapshotClone,
    /// A populator outside of CDI fills it.
    Populator,
    /// Nothing that CDI does.
    Nop,
}

const IMPORTS: [&str; 7] = ["http", "s3", "gcs", "registry", "blank", "imageio", "vddk"];

impl DataVolumeOp {
    /// `getDataVolumeOp`, `getSourceRefOp`. Who refers to a DataSource is a clone's, whatever comes of the reference:
    /// only that controller watches DataSources.
    pub(crate) fn of(view: View<'_>, dv: &DataVolume) -> Self {
        if dv.spec.source_ref.is_some() {
            let source = clone_source::resolve(view, dv).ok().flatten();
            let is_snapshot = source.is_some_and(|source| source.get("snapshot").is_some());
            return if is_snapshot { Self::SnapshotClone } else { Self::PvcClone };
        }
        let Some(source) = &dv.spec.source else {
            return if uses_volume_populator(dv) { Self::Populator } else { Self::Nop };
        };
        let has = |kind: &str| source.get(kind).is_some_and(|found| !found.is_null());
        match () {
            () if has("pvc") => Self::PvcClone,
            () if has("snapshot") => Self::SnapshotClone,
            () if has("upload") => Self::Upload,
            () if IMPORTS.into_iter().any(has) => Self::Import,
            () => Self::Nop,
        }
    }
}

/// `dvUsesVolumePopulator`.
fn uses_volume_populator(dv: &DataVolume) -> bool {
    let names = |spec: &Option<crate::objects::PersistentVolumeClaimSpec>| {
        spec.as_ref()
            .is_some_and(|spec| spec.data_source_ref.is_some() || spec.rest.get("dataSource").is_some())
    };
    names(&dv.spec.pvc) || names(&dv.spec.storage)
}

/// A field of the source to an annotation; `always` also where it is empty.
struct Field {
    name: &'static str,
    annotation: ArcStr,
    always: bool,
}

const fn always(name: &'static str, annotation: ArcStr) -> Field {
    Field { name, annotation, always: true }
}

const fn given(name: &'static str, annotation: ArcStr) -> Field {
    Field { name, annotation, always: false }
}

/// The kinds of source in upstream's order, each with the value of `storage.import.source` and its fields.
const SOURCES: [(&str, &str, &[Field]); 6] = [
    (
        "http",
        "http",
        &[
            always("url", ann::ENDPOINT),
            given("secretRef", ann::SECRET),
            given("certConfigMap", ann::CERT_CONFIG_MAP),
            given("checksum", ann::CHECKSUM),
        ],
    ),
    (
        "s3",
        "s3",
        &[
            always("url", ann::ENDPOINT),
            given("secretRef", ann::SECRET),
            given("certConfigMap", ann::CERT_CONFIG_MAP),
        ],
    ),
    ("gcs", "gcs", &[always("url", ann::ENDPOINT), given("secretRef", ann::SECRET)]),
    (
        "registry",
        "registry",
        &[
            given("pullMethod", ann::REGISTRY_IMPORT_METHOD),
            given("url", ann::ENDPOINT),
            given("secretRef", ann::SECRET),
            given("certConfigMap", ann::CERT_CONFIG_MAP),
        ],
    ),
    (
        "imageio",
        "imageio",
        &[
            always("url", ann::ENDPOINT),
            always("secretRef", ann::SECRET),
            always("certConfigMap", ann::CERT_CONFIG_MAP),
            always("diskId", ann::DISK_ID),
        ],
    ),
    (
        "vddk",
        "vddk",
        &[
            always("url", ann::ENDPOINT),
            always("secretRef", ann::SECRET),
            always("backingFile", ann::BACKING_FILE),
            always("uuid", ann::UUID),
            always("thumbprint", ann::THUMBPRINT),
            given("initImageURL", ann::VDDK_INIT_IMAGE_URL),
            given("extraArgs", ann::VDDK_EXTRA_ARGS),
        ],
    ),
];

/// Tells the import controller by annotations what to import; a source of no known kind is blank.
pub(crate) fn annotate(source: Option<&Value>, annotations: &mut StrMap) {
    let found = SOURCES.iter().find_map(|(kind, name, fields)| {
        let value = source?.get(kind).filter(|value| !value.is_null())?;
        Some((*kind, *name, *fields, value))
    });
    let Some((kind, name, fields, value)) = found else {
        annotations.insert(ann::SOURCE, "none");
        return;
    };
    annotations.insert(ann::SOURCE, name);
    for field in fields {
        let text = text(value, field.name);
        if field.always || !text.is_empty() {
            annotations.insert(field.annotation.clone(), text);
        }
    }
    match kind {
        "http" => {
            annotate_list(value, "extraHeaders", &ann::EXTRA_HEADERS, annotations);
            annotate_list(value, "secretExtraHeaders", &ann::SECRET_EXTRA_HEADERS, annotations);
        }
        "registry" => annotate_registry(value, annotations),
        "imageio" if value.get("insecureSkipVerify") == Some(&Value::Bool(true)) => {
            annotations.insert(ann::INSECURE_SKIP_VERIFY, "true");
        }
        _ => {}
    }
}

fn annotate_registry(registry: &Value, annotations: &mut StrMap) {
    let stream = text(registry, "imageStream");
    if text(registry, "url").is_empty() && !stream.is_empty() {
        annotations.insert(ann::ENDPOINT, stream);
        annotations.insert(ann::REGISTRY_IMAGE_STREAM, "true");
    }
    let architecture = registry.get("platform").map_or("", |platform| text(platform, "architecture"));
    if !architecture.is_empty() {
        annotations.insert(ann::REGISTRY_IMAGE_ARCHITECTURE, architecture);
    }
}

fn annotate_list(source: &Value, field: &str, annotation: &ArcStr, annotations: &mut StrMap) {
    let entries = source.get(field).and_then(Value::as_array).into_iter().flatten();
    for (index, entry) in entries.enumerate() {
        annotations.insert(arcstr::format!("{annotation}.{index}"), entry.as_str().unwrap_or_default());
    }
}

fn text<'a>(source: &'a Value, field: &str) -> &'a str {
    source.get(field).and_then(Value::as_str).unwrap_or_default()
}
