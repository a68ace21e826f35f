//! A case's timeline, scraped: what happened in the cluster becomes what virt-controller exports becomes samples.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use stuckvm_detector::{PrintableStatus, Time};
use stuckvm_scenarios::prometheus::rules::Rule;
use stuckvm_scenarios::prometheus::samples::{Labels, Millis, NAME, Samples};
use stuckvm_scenarios::prometheus::scraper::{Exposed, Scraper};
use stuckvm_sim::metrics::{Sample, scrape};
use stuckvm_sim::{Cluster, Config, KubeVirtRelease, Object};

/// Labels of `kubevirt_vmi_info` that the cases leave out.
const LEFT_OUT: [&str; 3] = ["evictable", "outdated", "vmi_pod"];

/// Instants of a case are seconds with at most three decimals.
pub(crate) fn millis(seconds: &Value) -> Millis {
    let seconds = seconds.as_f64().unwrap_or_else(|| panic!("{seconds} is no instant"));
    (seconds * 1000.0).round() as Millis
}

/// A machine and its instances.
#[derive(Clone, Default)]
struct Machine {
    status: String,
    /// Seconds since 1970; none outside of the error statuses.
    stamp: Option<i64>,
    /// `vmi` and `vmi2`.
    instances: BTreeMap<String, Value>,
}

/// Whether a scrape works.
#[derive(Clone, Copy, PartialEq)]
enum Scrapes {
    Work,
    Fail,
    Lost,
}

struct World<'a> {
    start: Millis,
    rule: &'a Rule,
    machines: BTreeMap<String, Machine>,
    scrapes: Scrapes,
    exposed: Vec<Exposed>,
}

/// The samples that a scraper stores of the case's timeline.
pub(crate) fn samples(case: &Value, rule: &Rule) -> Samples {
    let [start, until, phase] = ["start", "until", "scrape_phase"].map(|key| millis(&case[key]));
    let every = case["scrape"].as_str().and_then(stuckvm_scenarios::prometheus::duration::parse);
    let every = every.expect("`scrape` is a duration");
    let events = case["timeline"].as_array().expect("a timeline");
    let moves = events.iter().any(|event| event["what"] == "exporter-moves");
    let mut scraper = Scraper::new(every, target(moves.then_some("a")));
    let mut world = World { start, rule, machines: BTreeMap::new(), scrapes: Scrapes::Work, exposed: vec![] };
    let mut events = events.iter().peekable();
    for at in (0..).map(|index| phase + index * every).take_while(|at| *at <= until) {
        while let Some(event) = events.next_if(|event| millis(&event["t"]) <= at) {
            match event["what"].as_str() {
                Some("exporter-moves") => scraper.move_to(target(event["pod"].as_str())),
                _ => world.happens(event),
            }
        }
        match world.scrapes {
            Scrapes::Work => scraper.scrape(start + at, world.exposed.clone()),
            Scrapes::Fail => scraper.fail(start + at),
            Scrapes::Lost => {}
        }
    }
    scraper.finish()
}

fn target(pod: Option<&str>) -> Labels {
    pod.map(|pod| ("pod".to_owned(), pod.to_owned())).into_iter().collect()
}

impl World<'_> {
    fn happens(&mut self, event: &Value) {
        let vm = event["vm"].as_str().unwrap_or_default().to_owned();
        match event["what"].as_str().expect("`what`") {
            "scrapes-fail" => self.scrapes = Scrapes::Fail,
            "samples-lost" => self.scrapes = Scrapes::Lost,
            "scrapes-ok" => self.scrapes = Scrapes::Work,
            "delete" => drop(self.machines.remove(&vm)),
            what => {
                let entered = (self.start + millis(&event["t"])).div_euclid(1000);
                self.machines.entry(vm).or_default().happens(what, event, entered);
            }
        }
        self.exposed = self.expose();
    }

    /// What the real collectors make of such machines, as far as the rule reads it.
    fn expose(&self) -> Vec<Exposed> {
        let mut cluster = Cluster::with_some(Config::default(), |_| false);
        let objects = self.machines.iter().flat_map(|(name, machine)| machine.objects(name));
        let read = |value| Object::from_value(&value).expect("an object").expect("of a known kind");
        cluster.load(objects.map(read)).expect("the objects are stored");
        let samples = scrape(cluster.view(), KubeVirtRelease::Main2026_08);
        let read = samples.iter().filter(|sample| self.rule.expression.may_read(sample.metric));
        read.map(exposed).collect()
    }
}

impl Machine {
    /// `entered` is the whole second of the event.
    fn happens(&mut self, what: &str, event: &Value, entered: i64) {
        for key in ["vmi", "vmi2"] {
            match event.get(key) {
                Some(Value::Null) => drop(self.instances.remove(key)),
                Some(vmi) => drop(self.instances.insert(key.to_owned(), vmi.clone())),
                None => {}
            }
        }
        if let Some(status) = event["status"].as_str() {
            let (was, is) = (is_error(&self.status), is_error(status));
            self.stamp = is.then(|| self.stamp.filter(|_| was && what == "status").unwrap_or(entered));
            status.clone_into(&mut self.status);
        }
        if let Some(stamp) = event["stamp"].as_i64() {
            self.stamp = Some(stamp);
        }
    }

    fn objects(&self, name: &str) -> Vec<Value> {
        let ready = self.stamp.filter(|stamp| *stamp >= 0).map(|stamp| {
            let at = Time::from_secs(stamp.unsigned_abs()).to_string();
            json!({"type": "Ready", "status": "False", "lastTransitionTime": at})
        });
        let vm = json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
            "metadata": {"name": name, "namespace": "ns", "uid": name},
            "status": {"printableStatus": self.status, "conditions": Vec::from_iter(ready)},
        });
        let vmi = |(index, vmi): (usize, &Value)| {
            json!({
                "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
                "metadata": {"name": name, "namespace": "ns", "uid": format!("{name}-{index}")},
                "status": {"nodeName": vmi["node"], "phase": vmi["phase"]},
            })
        };
        [vm].into_iter().chain(self.instances.values().enumerate().map(vmi)).collect()
    }
}

fn is_error(status: &str) -> bool {
    PrintableStatus::parse(status).is_some_and(PrintableStatus::is_error)
}

fn exposed(sample: &Sample) -> Exposed {
    let labels = sample.labels.iter().filter(|(name, _)| !LEFT_OUT.contains(name));
    let labels = labels.map(|(name, value)| ((*name).to_owned(), value.to_string()));
    let named = labels.chain([(NAME.to_owned(), sample.metric.to_owned())]);
    (named.collect(), sample.value as f64)
}
