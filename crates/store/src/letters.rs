//! What nobody could read, put away below the store's root: `dead-letters/<day>/<name>.letters`. Bytes in, bytes out;
//! their format is `wire::letter`'s, and their meaning the companion's, who writes, shows and replays them.

use bytes::Bytes;
use futures::TryStreamExt;
use model::Timestamp;
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStoreExt};

use crate::day::Day;
use crate::error::StoreError;
use crate::store::{Store, file_name};

/// The folder, below the store's root.
const FOLDER: &str = "dead-letters";
const SUFFIX: &str = ".letters";

/// One file of letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterFile {
    /// The UTC day on which its first record arrived, `2026-11-20`.
    pub day: String,
    /// Its name without the folder and the suffix.
    pub name: String,
    /// How large it is.
    pub bytes: u64,
}

impl Store {
    /// Puts a file of letters away. The name says for ever which letters these are: written again it replaces itself.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn put_letters(
        &self,
        arrived_at: Timestamp,
        name: &str,
        letters: Bytes,
    ) -> Result<(), StoreError> {
        let path = self.letters_path(&Day::of(arrived_at).to_string(), &file_name(name));
        let failed = |source| StoreError::Storage { doing: format!("writing {path}"), source };
        self.root().objects.put(&path, letters.into()).await.map_err(failed)?;
        Ok(())
    }

    /// All files of letters, the oldest day first.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn letter_files(&self) -> Result<Vec<LetterFile>, StoreError> {
        let folder = self.root().below([FOLDER]);
        let found: Result<Vec<ObjectMeta>, Error> =
            self.root().objects.list(Some(&folder)).try_collect().await;
        let mut files: Vec<LetterFile> = match found {
            Ok(found) => found.iter().filter_map(letter_file).collect(),
            Err(Error::NotFound { .. }) => Vec::new(),
            Err(source) => return Err(StoreError::Storage { doing: format!("listing {folder}"), source }),
        };
        files.sort();
        Ok(files)
    }

    /// What a file of letters holds; none if it is gone.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn read_letters(&self, file: &LetterFile) -> Result<Option<Bytes>, StoreError> {
        let path = self.letters_path(&file.day, &file.name);
        let failed = |source| StoreError::Storage { doing: format!("reading {path}"), source };
        match self.root().objects.get(&path).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(failed)?)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }

    /// Writes what is left of a file of letters; nothing left: the file goes.
    ///
    /// # Errors
    /// When the object store fails; the file is then as it was.
    pub async fn keep_letters(&self, file: &LetterFile, left: Option<Bytes>) -> Result<(), StoreError> {
        let path = self.letters_path(&file.day, &file.name);
        let done = match left {
            Some(letters) => self.root().objects.put(&path, letters.into()).await.map(drop),
            None => self.root().objects.delete(&path).await,
        };
        match done {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(StoreError::Storage { doing: format!("writing {path}"), source }),
        }
    }

    fn letters_path(&self, day: &str, name: &str) -> Path {
        self.root().below([FOLDER, day, &format!("{name}{SUFFIX}")])
    }
}

/// None for what lies there and is not ours.
fn letter_file(object: &ObjectMeta) -> Option<LetterFile> {
    let parts: Vec<_> = object.location.parts().collect();
    let [.., day, name] = parts.as_slice() else { return None };
    let name = name.as_ref().strip_suffix(SUFFIX)?.to_owned();
    Some(LetterFile { day: day.as_ref().to_owned(), name, bytes: object.size })
}
