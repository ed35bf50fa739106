//! Secrets of every kind, what stands between them, and pieces of both. For the property tests of texts and of JSON.

use proptest::prelude::*;

/// A secret, and the part of it that must not survive.
pub(crate) fn secret() -> impl Strategy<Value = (String, String)> {
    let same = |text: String| (text.clone(), text);
    let bearer = "[A-Za-z0-9]{10,30}7[a-z]".prop_map(|token| (format!("Bearer {token}"), token));
    let basic = Just(("Basic dXNlcjpwYXNzd29yZA==".to_owned(), "dXNlcjpwYXNzd29yZA".to_owned()));
    let jwt = "eyJ[A-Za-z0-9_-]{10,40}\\.eyJ[A-Za-z0-9_-]{10,60}\\.[A-Za-z0-9_-]{20,43}".prop_map(same);
    let aws = "(AKIA|ASIA)[A-Z0-9]{16}".prop_map(same);
    let pem = "[A-Za-z0-9+/\\n]{40,100}".prop_map(|key| {
        (format!("-----BEGIN EC PRIVATE KEY-----\n{key}\n-----END EC PRIVATE KEY-----"), key)
    });
    let token =
        prop_oneof!["gh[pousr]_[A-Za-z0-9]{36}", "xoxb-[0-9]{12}-[A-Za-z0-9]{24}", "sk_live_[A-Za-z0-9]{24}"]
            .prop_map(same);
    let url =
        "[a-z0-9!$]{6,20}".prop_map(|password| (format!("mongodb://app:{password}@db.internal/x"), password));
    let card =
        ("4[0-9]{14}", prop::sample::select(vec!["", " ", "-"])).prop_map(move |(digits, separator)| {
            let digits = with_check_digit(&digits);
            let groups: Vec<&str> = (0..16).step_by(4).map(|start| &digits[start..start + 4]).collect();
            same(groups.join(separator))
        });
    let name = prop::sample::select(vec![
        "password",
        "client_secret",
        "x-api-key",
        "AWS_SESSION_TOKEN",
        "dbPassword",
    ]);
    let assignment = (name, "[A-Za-z0-9]{8,20}9[a-zA-Z]", 0..5).prop_map(|(name, value, form)| {
        let text = match form {
            0 => format!("{name}={value}"),
            1 => format!("{name}: {value}"),
            2 => format!("{{\"{name}\":\"{value}\"}}"),
            3 => format!("{{\\\"{name}\\\": \\\"{value}\\\"}}"),
            _ => format!("{name} = '{value}'"),
        };
        (text, value)
    });
    prop_oneof![bearer, basic, jwt, aws, pem, token, url, card, assignment]
}

fn with_check_digit(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let digit = u32::from(digit - b'0') * if index % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Text between secrets: anything, beginning and ending where a word does.
pub(crate) fn between() -> impl Strategy<Value = String> {
    prop_oneof![
        " \\PC{0,20}[ ,;(]",
        Just(" ".to_owned()),
        Just(", \"key\": ".to_owned()),
        Just("\n\tat ".to_owned()),
        Just(" é—日本 ".to_owned()),
    ]
}

/// Pieces that kinds of secret are made of, in any order.
pub(crate) fn rubble() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        secret().prop_map(|(text, _)| text),
        between(),
        "\\PC{0,8}",
        prop::sample::select(vec![
            "password",
            "auth",
            "=",
            ":",
            ": ",
            "\"",
            "\\\"",
            "'",
            "[",
            "]",
            "{",
            "}",
            "Bearer ",
            "Basic ",
            "eyJ",
            ".",
            "@",
            "://",
            "-----BEGIN PRIVATE KEY-----",
            "[scrubbed]",
            "[scrubbed-0123456789abcdef]",
            "4111",
            " ",
            "_",
            "-",
            "access token",
            "AKIA",
            "ghp_",
            "0",
            "a",
            "é",
            "https://",
            "x@y.zz",
            "(",
            "sourceIp",
            "null",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}
