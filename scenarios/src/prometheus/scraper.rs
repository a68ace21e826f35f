//! What Prometheus stores when it scrapes one target: samples, and stale markers for what has gone.
//!
//! Prometheus 3.15, `scrape/scrape.go`. A series that the scrape before had and this one lacks becomes stale at this scrape; a
//! scrape that fails makes all of the target's series stale; a target that is gone leaves its markers 2.1 intervals after its
//! last scrape (they are dated earlier then, but no evaluation sees them before).

use super::samples::{Labels, Millis, Point, Samples};
use std::collections::BTreeSet;

/// One series of an exposition, with its value.
pub type Exposed = (Labels, f64);

/// Scrapes one target again and again.
///
/// ```
/// use stuckvm_scenarios::prometheus::samples::Labels;
/// use stuckvm_scenarios::prometheus::scraper::Scraper;
///
/// let up = Labels::from([("__name__".to_owned(), "up".to_owned())]);
/// let mut scraper = Scraper::new(30_000, Labels::new());
/// scraper.scrape(0, [(up.clone(), 1.0)]);
/// scraper.fail(30_000);
/// let samples = scraper.finish();
/// let (labels, points) = samples.iter().next().unwrap();
/// assert_eq!((labels, points.len(), points[1].is_stale()), (&up, 2, true));
/// ```
#[derive(Debug)]
pub struct Scraper {
    /// S, the time between two scrapes.
    every: Millis,
    /// Labels of the target, which every series gets.
    target: Labels,
    /// The series of the scrape before.
    seen: BTreeSet<Labels>,
    /// When this target was last scraped, well or not.
    scraped: Option<Millis>,
    samples: Samples,
}

impl Scraper {
    /// A scraper that comes every so often, to a target with these labels.
    pub fn new(every: Millis, target: Labels) -> Self {
        Self { every, target, seen: BTreeSet::new(), scraped: None, samples: Samples::default() }
    }

    /// A scrape that works. Labels of the exporter win over those of the target (`honorLabels: true`, as KubeVirt's
    /// ServiceMonitor has it).
    pub fn scrape(&mut self, at: Millis, exposed: impl IntoIterator<Item = Exposed>) {
        let mut seen = BTreeSet::new();
        for (own, value) in exposed {
            let mut labels = self.target.clone();
            labels.extend(own);
            self.samples.add(&labels, Point { at, value });
            seen.insert(labels);
        }
        let before = std::mem::replace(&mut self.seen, seen);
        for gone in before.difference(&self.seen) {
            self.samples.add(gone, Point::stale(at));
        }
        self.scraped = Some(at);
    }

    /// A scrape that fails: the target is there and does not answer.
    pub fn fail(&mut self, at: Millis) {
        self.scrape(at, []);
    }

    /// The exporter has moved: the next scrape finds a target with other labels. The old one is gone for good.
    pub fn move_to(&mut self, target: Labels) {
        self.target = target;
        if let Some(last) = self.scraped.take() {
            // 2.1 intervals, as the scrape loop waits for a target that may come back.
            let noticed = last + self.every * 21 / 10;
            for gone in std::mem::take(&mut self.seen) {
                self.samples.add(&gone, Point::stale(noticed));
            }
        }
    }

    /// What has been stored.
    pub fn finish(self) -> Samples {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::{Exposed, Scraper};
    use crate::prometheus::samples::{Labels, NAME, Samples};

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn info(status: &str) -> Exposed {
        (labels(&[(NAME, "kubevirt_vm_info"), ("status", status)]), 1.0)
    }

    /// `status@pod: 0 30 60!`, the marker with an exclamation mark.
    fn shown(samples: &Samples) -> Vec<String> {
        let of_series = |(labels, points): (&Labels, &[crate::prometheus::samples::Point])| {
            let points = points.iter().map(|point| {
                let stale = if point.is_stale() { "!" } else { "" };
                format!(" {}{stale}", point.at / 1000)
            });
            let pod = labels.get("pod").map_or("", String::as_str);
            format!("{}@{pod}:{}", labels["status"], points.collect::<String>())
        };
        samples.iter().map(of_series).collect()
    }

    #[test]
    fn a_status_that_changes_ends_one_series_as_it_begins_another() {
        let mut scraper = Scraper::new(30_000, Labels::new());
        scraper.scrape(0, [info("running")]);
        scraper.scrape(30_000, [info("unknown")]);
        scraper.scrape(60_000, [info("unknown")]);
        assert_eq!(shown(&scraper.finish()), ["running@: 0 30!", "unknown@: 30 60"]);
    }

    #[test]
    fn a_failed_scrape_ends_everything_once() {
        let mut scraper = Scraper::new(30_000, Labels::new());
        scraper.scrape(0, [info("running")]);
        scraper.fail(30_000);
        scraper.fail(60_000);
        scraper.scrape(90_000, [info("running")]);
        assert_eq!(shown(&scraper.finish()), ["running@: 0 30! 90"]);
    }

    #[test]
    fn a_scrape_that_is_lost_leaves_no_mark() {
        let mut scraper = Scraper::new(30_000, Labels::new());
        scraper.scrape(0, [info("running")]);
        scraper.scrape(60_000, [info("running")]);
        assert_eq!(shown(&scraper.finish()), ["running@: 0 60"]);
    }

    #[test]
    fn an_exporter_that_moves_leaves_its_series_for_two_intervals() {
        let mut scraper = Scraper::new(30_000, labels(&[("pod", "a")]));
        scraper.scrape(0, [info("running")]);
        scraper.move_to(labels(&[("pod", "b")]));
        scraper.scrape(30_000, [info("running")]);
        assert_eq!(shown(&scraper.finish()), ["running@a: 0 63!", "running@b: 30"]);
    }

    #[test]
    fn labels_of_the_exporter_win_over_those_of_the_target() {
        let mut scraper = Scraper::new(30_000, labels(&[("status", "target"), ("pod", "a")]));
        scraper.scrape(0, [info("running")]);
        assert_eq!(shown(&scraper.finish()), ["running@a: 0"]);
    }
}
