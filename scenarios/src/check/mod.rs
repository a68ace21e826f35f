//! What a scenario file must keep beyond the shape of its fields.

use crate::fleet::replace;
use crate::format::{Expect, Generate, Manifest, Scenario, Step, Target};
use crate::load::Loaded;
use crate::pins::DELETED;
use std::collections::BTreeSet;
use std::time::Duration;
use stuckvm_detector::PrintableStatus;
use stuckvm_sim::manifest::{Document, ManifestError};
use stuckvm_sim::quantity::Quantity;
use stuckvm_sim::{Kind, KubeVirtRelease, KubernetesRelease, Object};

/// A field that does not keep a rule: its path, what was expected, what is there, and what to try.
struct Fault(String, String, String, &'static str);

/// Checks everything but the manifests.
///
/// # Errors
///
/// The first field that cannot be used; the error names no file.
pub(crate) fn scenario(scenario: &Scenario, document: &Document) -> Result<(), ManifestError> {
    let place = |Fault(field, expected, found, advice)| document.error(&field, &expected, &found, advice);
    releases(scenario).map_err(place)?;
    if scenario.threshold.is_some_and(|threshold| threshold.0 == Duration::ZERO) {
        let fault =
            Fault("threshold".into(), "a positive duration".into(), "0s".into(), "leave it out for 5m");
        return Err(place(fault));
    }
    sizes(scenario).map_err(place)?;
    for (index, generate) in scenario.cluster.generate.iter().enumerate() {
        generated(generate, index).map_err(place)?;
    }
    steps(&scenario.steps).map_err(place)?;
    expect(&scenario.expect).map_err(place)
}

/// Every manifest with the path of its field.
pub(crate) fn manifests(scenario: &Scenario) -> Vec<(String, Manifest)> {
    let of_cluster = scenario.cluster.manifests.iter().enumerate();
    let mut found: Vec<(String, Manifest)> = of_cluster
        .map(|(index, manifest)| (format!("cluster.manifests[{index}]"), manifest.clone()))
        .collect();
    for (step_index, step) in scenario.steps.iter().enumerate() {
        let of_step = step.apply.iter().enumerate();
        found.extend(
            of_step
                .map(|(index, manifest)| (format!("steps[{step_index}].apply[{index}]"), manifest.clone())),
        );
    }
    found
}

/// No object stands twice in the cluster or in one step.
///
/// # Errors
///
/// The first object that does; the error names no file.
pub(crate) fn objects(loaded: &Loaded, document: &Document) -> Result<(), ManifestError> {
    let of_steps = loaded.scenario.steps.iter().enumerate();
    let mut lists = vec![("cluster.manifests".to_owned(), &loaded.scenario.cluster.manifests)];
    lists.extend(of_steps.map(|(index, step)| (format!("steps[{index}].apply"), &step.apply)));
    for (field, list) in lists {
        let mut seen = BTreeSet::new();
        for (index, manifest) in list.iter().enumerate() {
            for object in loaded.files.objects(std::slice::from_ref(manifest)) {
                let meta = object.metadata();
                let name = format!("{} {}/{}", object.kind(), meta.namespace, meta.name);
                if !seen.insert(name.clone()) {
                    let advice = "an object can be created once; rename it or leave one out";
                    return Err(document.error(
                        &format!("{field}[{index}]"),
                        "objects of different names",
                        &format!("{name} twice"),
                        advice,
                    ));
                }
            }
        }
    }
    Ok(())
}

fn releases(scenario: &Scenario) -> Result<(), Fault> {
    let release = &scenario.cluster.release;
    if let Some(name) = release.kubernetes.as_ref().filter(|name| KubernetesRelease::parse(name).is_none()) {
        let known = KubernetesRelease::ALL.map(KubernetesRelease::as_str).join(", ");
        return Err(Fault(
            "cluster.release.kubernetes".into(),
            format!("one of {known}"),
            name.clone(),
            "quote it",
        ));
    }
    if let Some(name) = release.kubevirt.as_ref().filter(|name| KubeVirtRelease::parse(name).is_none()) {
        let known = KubeVirtRelease::ALL.map(KubeVirtRelease::as_str).join(", ");
        return Err(Fault(
            "cluster.release.kubevirt".into(),
            format!("one of {known}"),
            name.clone(),
            "quote it",
        ));
    }
    Ok(())
}

fn sizes(scenario: &Scenario) -> Result<(), Fault> {
    let images = scenario
        .cluster
        .images
        .iter()
        .map(|(name, image)| (format!("cluster.images[{name}].size"), &image.size));
    let sources = scenario
        .cluster
        .sources
        .iter()
        .map(|(url, source)| (format!("cluster.sources[{url}].size"), &source.size));
    let mut sizes: Vec<(String, &String)> = images.chain(sources).collect();
    for (index, step) in scenario.steps.iter().enumerate() {
        for (verb, target) in [("break", &step.breaks), ("heal", &step.heal)] {
            let Some(target) = target else { continue };
            let path = |name: &str| format!("steps[{index}].{verb}.{name}.size");
            match target {
                Target::Image(images) => {
                    sizes.extend(
                        images.iter().filter_map(|(name, image)| Some((path(name), &image.as_ref()?.size))),
                    );
                }
                Target::Source(sources) => {
                    sizes.extend(
                        sources.iter().filter_map(|(url, source)| Some((path(url), &source.as_ref()?.size))),
                    );
                }
                _ => {}
            }
        }
    }
    for (field, size) in sizes {
        let problem = match Quantity::parse(size) {
            Ok(quantity) if quantity.value() >= 0 => continue,
            Ok(_) => "a size that is not negative".to_owned(),
            Err(error) => error.to_string(),
        };
        return Err(Fault(field, problem, size.clone(), "write a quantity such as 250M or 1Gi"));
    }
    Ok(())
}

fn generated(generate: &Generate, index: usize) -> Result<(), Fault> {
    let field = format!("cluster.generate[{index}]");
    for (key, values) in &generate.choose {
        if values.values().map(|weight| u64::from(*weight)).sum::<u64>() == 0 {
            let advice = "give each value a weight, such as `good: 98`";
            return Err(Fault(
                format!("{field}.choose.{key}"),
                "a weight above 0".into(),
                "none".into(),
                advice,
            ));
        }
    }
    let mut value = serde_json::to_value(&generate.template).expect("a map of values is a value");
    replace(&mut value, "{i}", "0");
    for (key, values) in &generate.choose {
        let first = values.keys().next().map_or("", String::as_str);
        replace(&mut value, &format!("{{{key}}}"), first);
    }
    let template = format!("{field}.template");
    match Object::from_value(&value) {
        Ok(Some(object)) if !object.metadata().name.is_empty() => Ok(()),
        Ok(Some(_)) => {
            let advice = "put the number into the name, such as `vm-{i}`";
            Err(Fault(format!("{template}.metadata.name"), "a name".into(), "none".into(), advice))
        }
        Ok(None) => {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            let found = value.get("kind").map_or_else(|| "none".to_owned(), ToString::to_string);
            Err(Fault(format!("{template}.kind"), format!("one of {known}"), found, "name the kind"))
        }
        Err(error) => Err(Fault(
            format!("{template}.{}", error.path()),
            error.inner().to_string(),
            String::new(),
            "mend the template",
        )),
    }
}

fn steps(steps: &[Step]) -> Result<(), Fault> {
    for (index, pair) in steps.windows(2).enumerate() {
        if pair[1].at < pair[0].at {
            let [before, at] = [pair[0].at.0, pair[1].at.0].map(stuckvm_sim::duration::format);
            let field = format!("steps[{}].at", index + 1);
            return Err(Fault(
                field,
                format!("{before} or later, as the step before"),
                at,
                "put the steps in order of time",
            ));
        }
    }
    Ok(())
}

fn expect(expect: &Expect) -> Result<(), Fault> {
    let Expect { status, alerts, counts, verdict } = expect;
    if status.is_none() && alerts.is_none() && counts.is_none() && verdict.is_none() {
        let advice = "pin what must come: `alerts: []` demands silence";
        return Err(Fault(
            "expect".into(),
            "one of status, alerts, counts, verdict".into(),
            "nothing".into(),
            advice,
        ));
    }
    for (index, pin) in status.iter().flatten().enumerate() {
        let known = PrintableStatus::ALL.iter().any(|status| status.as_str() == pin.is);
        if !known && pin.is != DELETED {
            let field = format!("expect.status[{index}].is");
            return Err(Fault(
                field,
                "a printable status".into(),
                pin.is.clone(),
                "write it as `kubectl get vm` shows it",
            ));
        }
    }
    for (index, pin) in alerts.iter().flatten().enumerate() {
        if PrintableStatus::parse(&pin.status).is_none_or(|status| !status.is_error()) {
            let known = PrintableStatus::ERRORS.map(PrintableStatus::runbook_str).join(", ");
            let field = format!("expect.alerts[{index}].as");
            return Err(Fault(
                field,
                format!("one of {known}"),
                pin.status.clone(),
                "use the runbook's spelling",
            ));
        }
    }
    Ok(())
}
