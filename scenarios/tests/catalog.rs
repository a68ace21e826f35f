//! Every scenario of the catalog, one test each, named `scenarios/<path>`: it passes, twice, with equal digests.
//!
//! The files of `must-fail/` must get the verdict that they ask for. A scenario of the catalog names its releases.

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::process::ExitCode;
use stuckvm_scenarios::catalog::{Tree, load_all};
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::report::text_line;
use stuckvm_scenarios::run::{RunOptions, run};
use stuckvm_scenarios::verdict::Verdict;
use stuckvm_sim::trace::Keep;

fn main() -> ExitCode {
    let catalog = load_all(&Tree::Embedded).expect("the catalog reads");
    let must_fail = Tree::Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("must-fail"));
    let must_fail = load_all(&must_fail).expect("the must-fail files read");
    assert!(!catalog.is_empty() && !must_fail.is_empty(), "there are scenarios");
    let names = [&catalog, &must_fail].map(|scenarios| named_by_its_path(scenarios));
    let names = Trial::test("every-scenario-is-named-by-its-path", move || names.into_iter().collect());
    let releases = names_its_releases(&catalog);
    let releases = Trial::test("every-scenario-names-its-releases", move || releases);
    let passes = catalog.into_iter().map(|loaded| {
        let name = format!("scenarios/{}", loaded.scenario.scenario);
        Trial::test(name, move || passes_twice(&loaded))
    });
    let fails = must_fail.into_iter().map(|loaded| {
        let name = format!("must-fail/{}", loaded.scenario.scenario);
        Trial::test(name, move || gets_its_verdict(&loaded))
    });
    let trials = passes.chain(fails).chain([releases, names]).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A scenario whose release nobody chose would change its meaning with the default.
fn names_its_releases(catalog: &[Loaded]) -> Result<(), Failed> {
    let names = |loaded: &&Loaded| {
        let release = &loaded.scenario.cluster.release;
        release.kubernetes.is_some() && release.kubevirt.is_some()
    };
    match catalog.iter().find(|loaded| !names(loaded)) {
        None => Ok(()),
        Some(loaded) => Err(format!("{} names no release", loaded.scenario.scenario).into()),
    }
}

/// `scenario:` is the path in the catalog: users look for the file by it.
fn named_by_its_path(scenarios: &[Loaded]) -> Result<(), Failed> {
    let strays = |loaded: &&Loaded| loaded.path != format!("{}.yaml", loaded.scenario.scenario);
    match scenarios.iter().find(strays) {
        None => Ok(()),
        Some(loaded) => Err(format!("{} says that it is {}", loaded.path, loaded.scenario.scenario).into()),
    }
}

fn passes_twice(loaded: &Loaded) -> Result<(), Failed> {
    let [first, second] = [(); 2].map(|()| run(loaded, RunOptions::default()).outcome);
    if first.verdict != Verdict::Pass {
        return Err(text_line(&first).into());
    }
    if first.digest != second.digest {
        let lines = [(); 2].map(|()| {
            run(loaded, RunOptions { keep_trace: Keep::Everything, ..RunOptions::default() }).trace
        });
        let differs = lines[0].iter().zip(&lines[1]).find(|(a, b)| a != b);
        return Err(format!("two runs differ; the first event that does: {differs:?}").into());
    }
    Ok(())
}

fn gets_its_verdict(loaded: &Loaded) -> Result<(), Failed> {
    let wanted =
        loaded.scenario.expect.verdict.as_ref().ok_or("a must-fail file says which verdict it must get")?;
    let outcome = run(loaded, RunOptions::default()).outcome;
    let got = &outcome.verdict;
    let agrees = got.as_str() == wanted.is.as_str()
        && wanted.rule.as_deref().is_none_or(|rule| got.rule() == Some(rule))
        && wanted.kind.as_deref().is_none_or(|kind| got.kind() == Some(kind));
    if agrees { Ok(()) } else { Err(format!("expected {wanted:?}, got:\n{}", text_line(&outcome)).into()) }
}
