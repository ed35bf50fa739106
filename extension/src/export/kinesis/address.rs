//! Where the stream's requests go: the server that is set, or AWS's own for the region and the stream.
//! Source: AWS General Reference, "Amazon Kinesis Data Streams endpoints"; the partitions' names from the AWS SDKs' table
//! of partitions.

use http::Uri;

use crate::config::{Destination, Stream};

/// What a region's name begins with → the domain of its partition. All others are `amazonaws.com`.
const DOMAINS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
];

/// None if what is set is no address.
pub(super) fn of(destination: &Destination) -> Option<Uri> {
    let region = &destination.region;
    let domain = DOMAINS.iter().find(|(prefix, _)| region.starts_with(prefix));
    let domain = domain.map_or("amazonaws.com", |(_, domain)| *domain);
    let address = match (&destination.endpoint, &destination.stream) {
        (Some(endpoint), _) => endpoint.clone(),
        // An account's own server, where there is one.
        (None, Stream::Arn(arn)) if !region.contains("-iso") => {
            let account = arn.split(':').nth(4)?;
            format!("https://{account}.data-kinesis.{region}.{domain}/")
        }
        (None, _) => format!("https://kinesis.{region}.{domain}/"),
    };
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Credentials;

    fn address(region: &str, endpoint: Option<&str>, stream: Stream) -> Option<String> {
        let credentials = Credentials::Endpoint { uri: String::new(), token: None };
        let endpoint = endpoint.map(str::to_owned);
        let destination = Destination { stream, region: region.to_owned(), endpoint, credentials };
        of(&destination).map(|uri| uri.to_string())
    }

    #[test]
    fn a_stream_is_reached_in_its_region_and_partition() {
        let name = || Stream::Name("telemetry".to_owned());
        for (region, server) in [
            ("eu-west-1", "kinesis.eu-west-1.amazonaws.com"),
            ("us-gov-west-1", "kinesis.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "kinesis.cn-north-1.amazonaws.com.cn"),
            ("us-iso-east-1", "kinesis.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "kinesis.us-isob-east-1.sc2s.sgov.gov"),
        ] {
            assert_eq!(address(region, None, name()), Some(format!("https://{server}/")));
        }
        assert_eq!(address("x", Some("http://[::1]:4567"), name()).as_deref(), Some("http://[::1]:4567/"));
        assert_eq!(address("x", Some("no server"), name()), None);
    }

    #[test]
    fn a_stream_of_another_account_is_reached_at_that_accounts_server() {
        let arn =
            |region: &str| Stream::Arn(format!("arn:aws:kinesis:{region}:123456789012:stream/telemetry"));
        let own = "https://123456789012.data-kinesis.eu-west-1.amazonaws.com/";
        assert_eq!(address("eu-west-1", None, arn("eu-west-1")).as_deref(), Some(own));
        let shared = "https://kinesis.us-iso-east-1.c2s.ic.gov/";
        assert_eq!(address("us-iso-east-1", None, arn("us-iso-east-1")).as_deref(), Some(shared));
    }
}
