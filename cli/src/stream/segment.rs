//! One file of the journal: a magic word, then frames. Owns the file and an index of what stands where.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use model::Timestamp;

use super::frame::{self, Frame, Record};
use super::sequence::Sequence;

const MAGIC: &[u8; 8] = b"LLJRNL01";
const EXTENSION: &str = "journal";

/// Where one record stands.
#[derive(Debug, Clone, Copy)]
struct Entry {
    sequence: Sequence,
    arrived_at: Timestamp,
    offset: u64,
}

/// A segment, open for reading and appending.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    file: File,
    /// The lowest sequence that may stand here: its name.
    first: Sequence,
    entries: Vec<Entry>,
    /// Bytes that are whole records and on disk.
    bytes: u64,
    /// Bytes that could not be read where a segment was opened.
    torn_bytes: u64,
}

impl Segment {
    /// Creates an empty one for records from `first` on, durably.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(directory: &Path, first: Sequence) -> io::Result<Self> {
        let path = directory.join(format!("{:020}.{EXTENSION}", first.number()));
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        file.set_len(0)?;
        file.write_all(MAGIC)?;
        file.sync_all()?;
        // The name must survive a power cut too, or acknowledged records would hang in no directory.
        File::open(directory)?.sync_all()?;
        Ok(Self { path, file, first, entries: Vec::new(), bytes: MAGIC.len() as u64, torn_bytes: 0 })
    }

    /// The paths of a directory's segments, oldest first, with the first sequence of each.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn list(directory: &Path) -> io::Result<Vec<(Sequence, PathBuf)>> {
        let mut found = Vec::new();
        for entry in directory.read_dir()? {
            let path = entry?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if let (Some(number), Some(EXTENSION)) = (number, path.extension().and_then(|word| word.to_str()))
            {
                found.push((Sequence::from_number(number), path));
            }
        }
        found.sort();
        Ok(found)
    }

    /// Opens one and reads it through up to its last whole record; what follows that is counted, not touched.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(path: PathBuf, first: Sequence) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).open(&path)?;
        let length = file.metadata()?.len();
        let mut segment = Self { path, file, first, entries: Vec::new(), bytes: 0, torn_bytes: length };
        let whole = Bytes::from(segment.read_at(0, length)?);
        if whole.get(..MAGIC.len()) != Some(MAGIC) {
            return Ok(segment);
        }
        let mut offset = MAGIC.len();
        let mut least = first;
        while let Frame::Whole(record, taken) = frame::decode(&whole.slice(offset..)) {
            if record.sequence < least {
                break;
            }
            segment.index(&record, offset as u64);
            least = record.sequence.next();
            offset += taken;
        }
        segment.bytes = offset as u64;
        segment.torn_bytes = length - segment.bytes;
        Ok(segment)
    }

    /// Cuts what follows the last whole record, keeping a copy of it beside the segment (`….torn`): it was never
    /// acknowledged, unless the disk itself lost something, and then somebody may want to look.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn cut_torn_tail(&mut self) -> io::Result<u64> {
        let cut = self.torn_bytes;
        if cut == 0 && self.bytes > 0 {
            return Ok(0);
        }
        if cut > 0 {
            std::fs::write(self.path.with_extension("torn"), self.read_at(self.bytes, cut)?)?;
        }
        self.file.set_len(self.bytes)?;
        if self.bytes == 0 {
            self.file.write_all(MAGIC)?;
            self.bytes = MAGIC.len() as u64;
        }
        self.file.sync_all()?;
        self.torn_bytes = 0;
        Ok(cut)
    }

    /// Writes the records and returns when they are on disk. After an error nothing of them is there.
    ///
    /// # Errors
    /// When the file cannot be written; the inner error tells whether the segment can go on.
    pub fn append(&mut self, records: &[Record]) -> Result<(), AppendError> {
        let mut buffer = Vec::with_capacity(records.iter().map(frame::encoded_len).sum());
        let mut offsets = Vec::with_capacity(records.len());
        for record in records {
            offsets.push(self.bytes + buffer.len() as u64);
            frame::encode(record, &mut buffer);
        }
        if let Err(error) = self.file.write_all(&buffer).and_then(|()| self.file.sync_data()) {
            // Half a record may be there; the next append must not stand behind it.
            let undone = self.file.set_len(self.bytes).and_then(|()| self.file.sync_data());
            return Err(AppendError { error, usable: undone.is_ok() });
        }
        self.bytes += buffer.len() as u64;
        for (record, offset) in records.iter().zip(offsets) {
            self.index(record, offset);
        }
        Ok(())
    }

    /// Records from `from` on, at most `records_max` and, after the first, `bytes_max` of data.
    ///
    /// # Errors
    /// When the file cannot be read, or what was read is not what had been written.
    pub fn read(&self, from: Sequence, records_max: usize, bytes_max: usize) -> io::Result<Vec<Record>> {
        let start = self.entries.partition_point(|entry| entry.sequence < from);
        let mut records = Vec::new();
        let mut read_bytes = 0;
        for at in start..self.entries.len().min(start.saturating_add(records_max)) {
            let offset = self.entries[at].offset;
            let end = self.entries.get(at + 1).map_or(self.bytes, |next| next.offset);
            let bytes = Bytes::from(self.read_at(offset, end - offset)?);
            if !records.is_empty() && read_bytes + bytes.len() > bytes_max {
                break;
            }
            read_bytes += bytes.len();
            match frame::decode(&bytes) {
                Frame::Whole(record, _) => records.push(record),
                Frame::End | Frame::Torn => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("{} is damaged at byte {offset}", self.path.display()),
                    ));
                }
            }
        }
        Ok(records)
    }

    /// The first record that arrived at `time` or later.
    pub fn first_arrived_at(&self, time: Timestamp) -> Option<Sequence> {
        self.entries.iter().find(|entry| entry.arrived_at >= time).map(|entry| entry.sequence)
    }

    /// The first record here.
    pub fn first_record(&self) -> Option<Sequence> {
        self.entries.first().map(|entry| entry.sequence)
    }

    /// The last record here.
    pub fn last_record(&self) -> Option<Sequence> {
        self.entries.last().map(|entry| entry.sequence)
    }

    /// How many records it holds.
    pub fn records(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The lowest sequence that may stand here.
    pub fn first(&self) -> Sequence {
        self.first
    }

    /// Its size on disk.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes after the last whole record that could not be read when it was opened.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Removes the file; one that holds bytes nobody could read is set aside as `….damaged` instead.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn remove(self) -> io::Result<()> {
        if self.torn_bytes > 0 {
            return std::fs::rename(&self.path, self.path.with_extension("damaged"));
        }
        std::fs::remove_file(&self.path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn index(&mut self, record: &Record, offset: u64) {
        self.entries.push(Entry { sequence: record.sequence, arrived_at: record.arrived_at, offset });
    }

    fn read_at(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

/// Why records are not on disk.
#[derive(Debug)]
pub struct AppendError {
    /// What the file system said.
    pub error: io::Error,
    /// Whether the half-written rest could be taken back. If not, nothing may be appended behind it.
    pub usable: bool,
}
