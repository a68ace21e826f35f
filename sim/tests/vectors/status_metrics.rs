//! `status/metrics`: one scrape, compared as a set.

use serde_json::{Map, Value, json};
use stuckvm_sim::metrics::{Sample, scrape};
use stuckvm_sim::{Cluster, Config};

use crate::status::objects;
use crate::status_releases::release;

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let mut cluster = Cluster::with_some(Config::default(), |_| false);
    cluster.load(objects(case)?).map_err(|error| error.to_string())?;
    let mut found: Vec<String> =
        scrape(cluster.view(), release(case)?).iter().map(|sample| shown(sample).to_string()).collect();
    let expected = case["expect"].as_array().ok_or("no expect")?;
    let mut expected: Vec<String> = expected.iter().map(Value::to_string).collect();
    found.sort_unstable();
    expected.sort_unstable();
    if found == expected {
        return Ok(());
    }
    let wrong: Vec<_> = found.iter().filter(|line| !expected.contains(line)).collect();
    let missing: Vec<_> = expected.iter().filter(|line| !found.contains(line)).collect();
    Err(format!("found {wrong:?}, expected {missing:?}"))
}

fn shown(sample: &Sample) -> Value {
    let labels: Map<String, Value> =
        sample.labels.iter().map(|(label, value)| ((*label).to_owned(), value.as_str().into())).collect();
    json!({"metric": sample.metric, "labels": labels, "value": sample.value})
}
