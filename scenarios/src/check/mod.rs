//! What a scenario file must keep beyond the shape of its fields.

mod expect;
mod fleet;
mod instance_types;
mod steps;

use crate::format::{ClusterSection, Manifest, Scenario, Target};
use crate::load::Loaded;
use std::collections::BTreeSet;
use std::time::Duration;
use stuckvm_sim::kubevirt::inferred_field;
use stuckvm_sim::manifest::{Document, ManifestError};
use stuckvm_sim::quantity::Quantity;
use stuckvm_sim::random::COMPONENTS;
use stuckvm_sim::validation::{Refusal, of_object};
use stuckvm_sim::{CdiRelease, KubeVirtRelease, KubernetesRelease};

/// A field that does not keep a rule: its path, what was expected, what is there, and what to try.
struct Fault(String, String, String, &'static str);

/// What to do about an instance type that a volume's labels name.
const INFERENCE_ADVICE: &str = "name it: a play does not look at the labels of volumes";

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
    if scenario.step_budget == Some(0) {
        let expected = "a whole number above 0".to_owned();
        return Err(place(Fault("stepBudget".into(), expected, "0".into(), "leave it out for a billion")));
    }
    sizes(scenario).map_err(place)?;
    draws(&scenario.cluster).map_err(place)?;
    for (index, generate) in scenario.cluster.generate.iter().enumerate() {
        fleet::generated(generate, index).map_err(place)?;
    }
    steps::steps(scenario).map_err(place)?;
    expect::check(scenario).map_err(place)
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

/// No object stands twice in the cluster or in one step, and machines go with the instance types that they name.
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
                if let Some(path) = inferred_field(&object) {
                    let expected = format!("a machine without {path}");
                    let field = format!("{field}[{index}]");
                    return Err(document.error(&field, &expected, &name, INFERENCE_ADVICE));
                }
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
    instance_types::of_cluster(loaded, document)
}

fn releases(scenario: &Scenario) -> Result<(), Fault> {
    let release = &scenario.cluster.release;
    let kubernetes = KubernetesRelease::ALL.map(KubernetesRelease::as_str);
    let kubevirt = KubeVirtRelease::ALL.map(KubeVirtRelease::as_str);
    let cdi = CdiRelease::ALL.map(CdiRelease::as_str);
    let components: [(&str, &Option<String>, &[&str]); 3] = [
        ("kubernetes", &release.kubernetes, &kubernetes),
        ("kubevirt", &release.kubevirt, &kubevirt),
        ("cdi", &release.cdi, &cdi),
    ];
    for (component, named, known) in components {
        if let Some(name) = named.as_ref().filter(|name| !known.contains(&name.as_str())) {
            return Err(Fault(
                format!("cluster.release.{component}"),
                format!("one of {}", known.join(", ")),
                name.clone(),
                "name a release that is modelled",
            ));
        }
    }
    Ok(())
}

fn draws(cluster: &ClusterSection) -> Result<(), Fault> {
    for (component, fraction) in &cluster.draws {
        let field = format!("cluster.draws.{component}");
        if !COMPONENTS.contains(&component.as_str()) {
            let known = COMPONENTS.join(", ");
            let advice = "name a component that draws";
            return Err(Fault("cluster.draws".into(), format!("one of {known}"), component.clone(), advice));
        }
        if !(0.0..1.0).contains(fraction) {
            let advice = "0 is the least that can be drawn, 0.5 the middle";
            return Err(Fault(
                field,
                "a fraction from 0 on and below 1".into(),
                fraction.to_string(),
                advice,
            ));
        }
    }
    let loops =
        cluster.kubelet.loops.iter().flat_map(|found| [("tick", found.tick), ("relist", found.relist)]);
    for (name, at) in loops {
        if at.0 >= Duration::from_secs(1) {
            let found = stuckvm_sim::duration::format(at.0);
            let field = format!("cluster.kubelet.loops.{name}");
            return Err(Fault(field, "less than 1s".into(), found, "the loop comes round every second"));
        }
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
        let upload = step.upload.as_ref();
        sizes.extend(upload.map(|upload| (format!("steps[{index}].upload.size"), &upload.size)));
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

/// All that the API server would refuse in the first object of each `generate:`.
pub(crate) fn refused_templates(scenario: &Scenario, document: &Document, file: &str) -> Vec<Refusal> {
    let templates = scenario.cluster.generate.iter().enumerate();
    let refused = templates.flat_map(|(index, generate)| {
        let field = format!("cluster.generate[{index}].template");
        of_object(file, document, &field, &fleet::first_of(generate))
    });
    refused.collect()
}
