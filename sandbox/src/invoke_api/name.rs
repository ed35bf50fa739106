//! What a caller writes for a function → name, qualifier and, if it is an ARN, region and account.

/// Names are at most 64 characters, ARNs 140 (170 with the longest qualifier), as the API says.
const REFERENCE_CHARACTERS_MAX: usize = 170;

/// A function as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FunctionReference {
    /// The bare name.
    pub(super) name: String,
    /// Version or alias: what follows the name, or the `Qualifier` parameter.
    pub(super) qualifier: Option<String>,
    /// Only in a full ARN.
    pub(super) region: Option<String>,
    /// In full and partial ARNs.
    pub(super) account: Option<String>,
}

impl FunctionReference {
    /// Parses `name`, `123456789012:function:name` or `arn:aws:lambda:region:account:function:name`, each with
    /// an optional `:qualifier`. `None` if it is none of them.
    /// Source: `FunctionName` of <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > REFERENCE_CHARACTERS_MAX {
            return None;
        }
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, rest) = match parts.as_slice() {
            ["arn", partition, "lambda", region, account, "function", rest @ ..]
                if partition.starts_with("aws") =>
            {
                (Some(*region), Some(*account), rest)
            }
            [account, "function", rest @ ..] if is_account(account) => (None, Some(*account), rest),
            ["function", rest @ ..] if !rest.is_empty() => (None, None, rest),
            rest => (None, None, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return None,
        };
        let valid = is_name(name) && qualifier.is_none_or(is_qualifier) && account.is_none_or(is_account);
        valid.then(|| Self {
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
            region: region.map(str::to_owned),
            account: account.map(str::to_owned),
        })
    }
}

/// The unqualified ARN of a function.
pub(crate) fn arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// A qualifier, as `$LATEST`, `12` or `live`.
pub(super) fn is_qualifier(text: &str) -> bool {
    let word = text.strip_prefix('$').unwrap_or(text);
    !word.is_empty()
        && text.len() <= 128
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, Option<String>, Option<String>) {
        let reference = FunctionReference::parse(text).unwrap();
        (reference.name, reference.qualifier, reference.account)
    }

    #[test]
    fn every_documented_form_is_taken() {
        let account = Some("123456789012".to_owned());
        assert_eq!(parsed("checkout"), ("checkout".into(), None, None));
        assert_eq!(parsed("checkout:live"), ("checkout".into(), Some("live".into()), None));
        assert_eq!(parsed("function:checkout"), ("checkout".into(), None, None));
        assert_eq!(parsed("123456789012:function:checkout"), ("checkout".into(), None, account.clone()));
        assert_eq!(
            parsed("arn:aws:lambda:us-west-2:123456789012:function:checkout:$LATEST"),
            ("checkout".into(), Some("$LATEST".into()), account)
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "a b", "a:b:c", "arn:aws:s3:::bucket", "123:function:x", "x:", &"x".repeat(200)] {
            assert_eq!(FunctionReference::parse(text), None, "{text:?}");
        }
    }
}
