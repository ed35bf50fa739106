//! Where a store lives: text in, an object store out.

mod durable;

use std::path::PathBuf;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

use crate::error::StoreError;

/// A place for a store. Clones of a place in memory are the same place.
#[derive(Debug, Clone)]
pub struct Location(Place);

#[derive(Debug, Clone)]
enum Place {
    Directory(PathBuf),
    S3 {
        bucket: String,
        prefix: String,
    },
    /// `id` tells places apart that have no address.
    Objects {
        id: uuid::Uuid,
        objects: Arc<dyn ObjectStore>,
    },
}

/// An opened place.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    /// Paths begin at the root of the file system, bucket or memory.
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// The place as a URL, with a slash at the end; its scheme and host name `objects` to DataFusion.
    pub(crate) url: Url,
    /// The place inside `objects`.
    pub(crate) path: Path,
}

impl Location {
    /// Reads `DIR`, `file:///DIR`, `s3://BUCKET/PREFIX` (endpoint and credentials from the usual `AWS_*` variables,
    /// among them `AWS_ENDPOINT_URL_S3`) or `memory:`.
    ///
    /// # Errors
    /// [`StoreError::Location`] when the text is none of these.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let wrong = |why: &str| StoreError::Location { text: text.to_owned(), why: why.to_owned() };
        let place = match text.split_once(':') {
            Some(("memory", _)) => return Ok(Self::memory()),
            Some(("file", _)) => {
                let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
                Place::Directory(url.to_file_path().map_err(|()| wrong("its path must be absolute"))?)
            }
            Some(("s3", rest)) => {
                let rest =
                    rest.strip_prefix("//").ok_or_else(|| wrong("`//` and a bucket must follow `s3:`"))?;
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(wrong("the bucket is missing"));
                }
                Place::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() }
            }
            Some((scheme, rest)) if rest.starts_with("//") => {
                return Err(wrong(&format!("{scheme} is not supported")));
            }
            _ if text.is_empty() => return Err(wrong("it is empty")),
            _ => Place::Directory(PathBuf::from(text)),
        };
        Ok(Self(place))
    }

    /// A new, empty place in memory.
    pub fn memory() -> Self {
        Self::objects(Arc::new(InMemory::new()))
    }

    /// Any object store, with the datasets at its root: one that injects faults, or that others look into.
    pub fn objects(objects: Arc<dyn ObjectStore>) -> Self {
        Self(Place::Objects { id: uuid::Uuid::new_v4(), objects })
    }

    /// Opens the place and tries it.
    pub(crate) async fn open(&self) -> Result<Root, StoreError> {
        match &self.0 {
            Place::Directory(directory) => open_directory(directory.clone()).await,
            Place::S3 { bucket, prefix } => open_bucket(bucket, prefix).await,
            Place::Objects { id, objects } => {
                let url = url(&format!("memory://{}/", id.simple()))?;
                Ok(Root { objects: objects.clone(), url, path: Path::default() })
            }
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Place::Directory(directory) => write!(f, "{}", directory.display()),
            Place::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Place::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Place::Objects { .. } => f.write_str("memory:"),
        }
    }
}

impl Root {
    /// A path below the place.
    pub(crate) fn below<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Path {
        parts.into_iter().fold(self.path.clone(), |path, part| path.join(part))
    }
}

fn url(text: &str) -> Result<Url, StoreError> {
    Url::parse(text).map_err(|error| StoreError::Location { text: text.to_owned(), why: error.to_string() })
}

async fn open_directory(directory: PathBuf) -> Result<Root, StoreError> {
    let place = directory.display().to_string();
    let unusable = |why: String| StoreError::Unusable { place: place.clone(), why };
    let made = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&directory)?;
        std::fs::canonicalize(&directory)
    });
    let directory = made
        .await
        .map_err(|error| unusable(error.to_string()))?
        .map_err(|error| unusable(format!("the directory cannot be made: {error}")))?;
    let url = Url::from_directory_path(&directory).map_err(|()| unusable("no URL names it".to_owned()))?;
    let path = Path::from_url_path(url.path()).map_err(|error| unusable(error.to_string()))?;
    let root = Root { objects: Arc::new(durable::DurableFiles::new()), url, path };
    let probe = root.below([format!(".probe-{}", uuid::Uuid::new_v4().simple()).as_str()]);
    let failed = |error: object_store::Error| unusable(format!("a file cannot be written there: {error}"));
    root.objects.put(&probe, bytes::Bytes::from_static(b"limelight").into()).await.map_err(failed)?;
    root.objects.delete(&probe).await.map_err(failed)?;
    Ok(root)
}

async fn open_bucket(bucket: &str, prefix: &str) -> Result<Root, StoreError> {
    let place = format!("s3://{bucket}/{prefix}");
    let unusable = |why: String| StoreError::Unusable { place: place.clone(), why };
    // The same variables, in the same order of precedence, as AWS's SDKs ("Service-specific endpoints").
    let plain = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    if plain {
        builder = builder.with_allow_http(true);
    }
    let objects: Arc<dyn ObjectStore> =
        Arc::new(builder.build().map_err(|error| unusable(error.to_string()))?);
    let path = Path::parse(prefix).map_err(|error| unusable(error.to_string()))?;
    let slash = if prefix.is_empty() { "" } else { "/" };
    let root = Root { objects, url: url(&format!("s3://{bucket}/{prefix}{slash}"))?, path };
    root.objects
        .list_with_delimiter(Some(&root.below(["datasets"])))
        .await
        .map_err(|error| unusable(format!("the bucket cannot be listed: {error}")))?;
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood_and_shown_as_it_was_written() {
        for text in [".limelight-data", "/var/lib/limelight", "s3://bucket", "s3://bucket/a/b", "memory:"] {
            assert_eq!(Location::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Location::parse("file:///tmp/a%20b").unwrap().to_string(), "/tmp/a b");
    }

    #[test]
    fn what_is_no_place_is_named_with_what_is_wrong() {
        for (text, why) in [("", "empty"), ("gs://x", "gs is not"), ("s3:x", "bucket"), ("s3:///x", "bucket")]
        {
            let error = Location::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_made_is_a_clear_error() {
        let error = Location::parse("/proc/limelight").unwrap().open().await.unwrap_err().to_string();
        assert!(error.contains("/proc/limelight") && error.contains("cannot be"), "{error}");
    }
}
