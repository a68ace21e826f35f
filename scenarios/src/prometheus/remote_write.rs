//! Remote write 1.0: samples as `POST /api/v1/write` takes them, a protobuf message in a snappy block.

use super::samples::{Labels, Point};
use prost::Message;

/// The most samples of one request: a few megabytes.
const MAX_SAMPLES: usize = 100_000;

/// What the request says of its body.
pub const HEADERS: [(&str, &str); 3] = [
    ("Content-Encoding", "snappy"),
    ("Content-Type", "application/x-protobuf"),
    ("X-Prometheus-Remote-Write-Version", "0.1.0"),
];

/// `prometheus.WriteRequest`, `prompb/remote.proto`.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

/// `prometheus.TimeSeries`, `prompb/types.proto`.
#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    /// Sorted by name.
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    /// In order of time.
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// The bodies of as many requests as the series need, to be sent in this order.
pub fn bodies<'a>(series: impl IntoIterator<Item = (&'a Labels, &'a [Point])>) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    let (mut request, mut count) = (WriteRequest::default(), 0);
    for (labels, points) in series {
        for points in points.chunks(MAX_SAMPLES) {
            if count + points.len() > MAX_SAMPLES {
                bodies.push(body(&std::mem::take(&mut request)));
                count = 0;
            }
            count += points.len();
            request.timeseries.push(time_series(labels, points));
        }
    }
    if count > 0 {
        bodies.push(body(&request));
    }
    bodies
}

fn time_series(labels: &Labels, points: &[Point]) -> TimeSeries {
    let label = |(name, value): (&String, &String)| Label { name: name.clone(), value: value.clone() };
    let sample = |point: &Point| Sample { value: point.value, timestamp: point.at };
    TimeSeries { labels: labels.iter().map(label).collect(), samples: points.iter().map(sample).collect() }
}

fn body(request: &WriteRequest) -> Vec<u8> {
    let message = request.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&message).expect("a request is far below the format's 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::{MAX_SAMPLES, WriteRequest, bodies};
    use crate::prometheus::samples::{Labels, NAME, Point};
    use prost::Message;

    fn message(body: &[u8]) -> Vec<u8> {
        snap::raw::Decoder::new().decompress_vec(body).expect("a snappy block")
    }

    #[test]
    fn a_request_is_the_message_that_the_protocol_describes() {
        let labels = Labels::from([(NAME.to_owned(), "m".to_owned())]);
        let points = [Point { at: 5, value: 1.0 }, Point::stale(6)];
        let message = message(&bodies([(&labels, &points[..])])[0]);
        // Written out by hand from prompb: field numbers, wire types, lengths.
        let expected = [
            &[0x0a, 0x29][..],
            &[0x0a, 0x0d, 0x0a, 0x08],
            b"__name__",
            &[0x12, 0x01, b'm'],
            &[0x12, 0x0b, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 5],
            &[0x12, 0x0b, 0x09, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f, 0x10, 6],
        ];
        assert_eq!(message, expected.concat());
    }

    #[test]
    fn a_long_series_is_sent_in_several_requests_in_order() {
        let points: Vec<Point> = (0..).map(|at| Point { at, value: 0.0 }).take(2 * MAX_SAMPLES + 1).collect();
        let labels = Labels::new();
        let sent = bodies([(&labels, &points[..1]), (&labels, &points[1..])]);
        let decode = |body: &Vec<u8>| WriteRequest::decode(&*message(body)).expect("a request");
        let requests: Vec<WriteRequest> = sent.iter().map(decode).collect();
        let all = requests.iter().flat_map(|request| &request.timeseries).flat_map(|series| &series.samples);
        assert!(all.map(|sample| sample.timestamp).eq(points.iter().map(|point| point.at)));
        let count =
            |request: &WriteRequest| request.timeseries.iter().map(|series| series.samples.len()).sum();
        assert!(requests.iter().map(count).all(|count: usize| count <= MAX_SAMPLES));
    }
}
