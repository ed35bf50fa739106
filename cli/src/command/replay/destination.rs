//! Where batches go: from what was typed, what the environment says, and the `limelight dev` that runs here.

use crate::args::{ReplayArgs, TargetArgs};
use crate::command::dev::addresses::Addresses;
use crate::exit::Refused;

/// Of a Kinesis API on this machine, which has no regions.
const REGION_LOCAL: &str = "us-east-1";

/// A Kinesis API, and which of its streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    /// The API; AWS's without one.
    pub(super) endpoint: Option<String>,
    pub(super) region: String,
    /// Without one, each batch's own.
    stream: Option<String>,
    is_dev: bool,
}

impl Destination {
    /// Finds it; `lookup` reads the environment.
    ///
    /// # Errors
    /// When nothing says where to, or in which region.
    pub(super) fn of(
        arguments: &ReplayArgs,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let TargetArgs { stream, stream_endpoint } = arguments.target.clone();
        if stream.is_none() && stream_endpoint.is_none() {
            let dev = Addresses::read(&arguments.place.data)?.ok_or_else(|| {
                Refused::usage(format!(
                    "nothing says where to: no `limelight dev` runs in {}; start it, or name a stream in AWS with \
                     --stream, or another Kinesis API with --stream-endpoint",
                    arguments.place.data.display()
                ))
            })?;
            return Ok(Self {
                endpoint: Some(dev.stream),
                region: REGION_LOCAL.to_owned(),
                stream: Some(dev.stream_name),
                is_dev: true,
            });
        }
        let region = region(stream.as_deref(), stream_endpoint.is_some(), lookup)?;
        // AWS_ENDPOINT_URL_KINESIS is often that of `limelight dev`.
        let dev = Addresses::read(&arguments.place.data)?.map(|dev| dev.stream);
        let is_dev = stream_endpoint.is_some() && stream_endpoint == dev;
        Ok(Self { endpoint: stream_endpoint, region, stream, is_dev })
    }

    /// Whether it is the `limelight dev` that runs here, which can also be asked.
    pub(super) fn is_dev(&self) -> bool {
        self.is_dev
    }

    /// The stream for a batch that was meant for `own`.
    pub(super) fn stream<'a>(&'a self, own: &'a str) -> &'a str {
        self.stream.as_deref().unwrap_or(own)
    }

    /// For messages.
    pub(super) fn shown(&self, stream: &str) -> String {
        match &self.endpoint {
            Some(endpoint) => format!("the stream {stream} at {endpoint}"),
            None => format!("the stream {stream} in {}", self.region),
        }
    }
}

/// `arn:aws:kinesis:eu-west-1:…`, else the environment's, else none is needed on this machine.
fn region(
    stream: Option<&str>,
    has_endpoint: bool,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<String, Refused> {
    let of_arn = stream.filter(|stream| stream.starts_with("arn:")).and_then(|arn| arn.split(':').nth(3));
    let given = |name: &str| lookup(name).filter(|text| !text.is_empty());
    of_arn
        .filter(|region| !region.is_empty())
        .map(str::to_owned)
        .or_else(|| given("AWS_REGION"))
        .or_else(|| given("AWS_DEFAULT_REGION"))
        .or_else(|| has_endpoint.then(|| REGION_LOCAL.to_owned()))
        .ok_or_else(|| {
            Refused::usage(format!(
                "nothing says in which region the stream {} is; set AWS_REGION, or name the stream by its ARN",
                stream.unwrap_or_default()
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::PlaceArgs;

    fn destination(target: TargetArgs, region: Option<&str>) -> anyhow::Result<Destination> {
        let place = PlaceArgs { data: "/no/such/data".into(), ..PlaceArgs::default() };
        let arguments = ReplayArgs { target, place, ..ReplayArgs::default() };
        Destination::of(&arguments, |name| region.filter(|_| name == "AWS_REGION").map(str::to_owned))
    }

    fn target(stream: Option<&str>, endpoint: Option<&str>) -> TargetArgs {
        TargetArgs { stream: stream.map(str::to_owned), stream_endpoint: endpoint.map(str::to_owned) }
    }

    #[test]
    fn without_a_name_it_is_the_dev_that_runs_here() {
        let data = tempfile::tempdir().unwrap();
        let stream = "http://127.0.0.1:4383".to_owned();
        let dev = Addresses { stream, stream_name: "limelight".to_owned(), ..Addresses::default() };
        dev.write(data.path()).unwrap();
        let place = PlaceArgs { data: data.path().to_owned(), ..PlaceArgs::default() };
        let found = Destination::of(&ReplayArgs { place, ..ReplayArgs::default() }, |_| None).unwrap();
        assert!(found.is_dev() && found.stream("meant for another") == "limelight");
        assert_eq!(found.shown("limelight"), "the stream limelight at http://127.0.0.1:4383");
        let error = destination(TargetArgs::default(), None).unwrap_err().to_string();
        assert!(error.contains("/no/such/data") && error.contains("--stream"), "{error}");
    }

    #[test]
    fn a_stream_alone_is_in_aws_and_needs_a_region() {
        let error = destination(target(Some("telemetry"), None), None).unwrap_err().to_string();
        assert!(error.contains("AWS_REGION"), "{error}");
        let named = destination(target(Some("telemetry"), None), Some("eu-west-1")).unwrap();
        assert_eq!(named.shown("telemetry"), "the stream telemetry in eu-west-1");
        let arn = "arn:aws:kinesis:eu-north-1:123456789012:stream/telemetry";
        let of_arn = destination(target(Some(arn), None), Some("eu-west-1")).unwrap();
        assert_eq!((of_arn.region.as_str(), of_arn.is_dev()), ("eu-north-1", false));
    }

    #[test]
    fn an_endpoint_alone_gets_each_batch_on_its_own_stream() {
        let found = destination(target(None, Some("http://127.0.0.1:4567")), None).unwrap();
        assert_eq!((found.stream("its own"), found.region.as_str()), ("its own", REGION_LOCAL));
    }
}
