//! `--function NAME=DIR[:HANDLER]` → a function with nothing but defaults.

use super::file::Function;
use super::key::{NAME, Values};

/// Reads one.
///
/// # Errors
/// What it must be, in words.
pub(super) fn read(text: &str) -> Result<Function, String> {
    let wrong = || format!("--function {text:?} must be NAME=DIR or NAME=DIR:HANDLER");
    let (name, place) = text.split_once('=').ok_or_else(wrong)?;
    let (dir, handler) = match place.rsplit_once(':') {
        Some((dir, handler)) if !handler.contains('/') || handler.contains('.') => {
            (dir, Some(handler.to_owned()))
        }
        _ => (place, None),
    };
    if name.is_empty() || dir.is_empty() || handler.as_deref() == Some("") {
        return Err(wrong());
    }
    if let Values::Text(rule, obeys) = NAME.values
        && !obeys(name)
    {
        return Err(format!("--function {text:?}: its name must be {rule}"));
    }
    let function = Function::new(format!("--function {name:?}"), name.to_owned());
    Ok(Function { dir: dir.into(), handler, ..function })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_a_folder_and_a_handler() {
        let read = |text| read(text).map(|function| (function.config.name, function.dir, function.handler));
        assert_eq!(read("a=./x"), Ok(("a".to_owned(), "./x".into(), None)));
        assert_eq!(read("a=x:app.main"), Ok(("a".to_owned(), "x".into(), Some("app.main".to_owned()))));
        assert_eq!(
            read("a=x:src/app.main"),
            Ok(("a".to_owned(), "x".into(), Some("src/app.main".to_owned())))
        );
        for wrong in ["a", "=x", "a=", "a=x:", "a b=x"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
