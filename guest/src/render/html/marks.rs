//! Marks of mail programs: attributes that tell quoted mail in HTML, and how they are handed on to the quote folding.
//!
//! A mark is a control character at the start of a line; text of others never holds any.

/// The line is quoted mail, as the page says.
pub const CITED: char = '\u{1}';
/// The line is in a quotation that need not be quoted mail.
pub const BARE: char = '\u{2}';
/// An original message begins on this line.
pub const ORIGINAL: char = '\u{3}';

/// Classes and ids of elements that hold nothing but the mail that is answered.
pub const CONTAINERS: &[&str] = &[
    "yahoo_quoted",
    "mail-editor-reference-message-container",
    "ms-outlook-mobile-reference-message",
    "x_yahoo_quoted",
];

/// Classes and ids of elements that the original message or its headers begin with.
pub const ORIGINALS: &[&str] = &[
    "divRplyFwdMsg",
    "appendonsend",
    "gmail_quote",
    "gmail_attr",
    "moz-cite-prefix",
    "moz-forward-container",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "OutlookMessageHeader",
    "stopSpelling",
    "replyHeader",
    "AppleMailQuote",
];
