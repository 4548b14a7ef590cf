//! Placeholder detection in settings: unexpanded variables, placeholders of examples, quotes of another file format.

/// What a setting holds, which decides what cannot be part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An address, a name or a token, none of which has quotes or variables in it.
    Plain,
    /// Letters, digits and a few signs, as HTTP headers carry them.
    Token,
    /// May be anything, so only what is a placeholder from its first to its last character is taken for one.
    Password,
}

/// Why a value cannot be meant. The texts go on after `NAME: ` and name no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    #[error(
        "the value stands in quotes, which count as part of it; docker's --env-file, for one, does not remove them. Write it \
         without quotes"
    )]
    Quoted,
    #[error("{0} was not replaced by its value; set it where the client or the shell takes its variables from")]
    Unexpanded(String),
    #[error("{0:?} is the placeholder of an example; put the real value in its place")]
    Example(String),
    #[error(
        "the value has a blank or another character that no token has; copy the token again, and nothing beside it"
    )]
    NotAToken,
}

const QUOTES: [(char, char); 6] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('„', '“'), ('‘', '’')];

/// Finds what is wrong with a value before it is sent anywhere.
pub(super) fn check(kind: Kind, value: &str) -> Result<(), Mistake> {
    let is_quoted = QUOTES
        .iter()
        .any(|(open, close)| value.len() > 1 && value.starts_with(*open) && value.ends_with(*close));
    if is_quoted {
        return Err(Mistake::Quoted);
    }
    let variable = match kind {
        Kind::Password => variable(value).filter(|variable| *variable == value),
        Kind::Plain | Kind::Token => variable(value),
    };
    if let Some(variable) = variable {
        return Err(Mistake::Unexpanded(variable.to_owned()));
    }
    if is_example(kind, value) {
        return Err(Mistake::Example(value.to_owned()));
    }
    let fits = |byte: u8| byte.is_ascii_graphic();
    if kind == Kind::Token && !value.bytes().all(fits) {
        return Err(Mistake::NotAToken);
    }
    Ok(())
}

/// `${NAME}`, `${user_config.name}`, `${env:NAME}`, `{{ name }}`, `%NAME%`, or `$NAME` alone.
fn variable(value: &str) -> Option<&str> {
    let between = |open: &str, close: &str| {
        let start = value.find(open)?;
        let length = value[start + open.len()..].find(close)?;
        let name = value[start + open.len()..][..length].trim();
        is_name(name).then(|| &value[start..start + open.len() + length + close.len()])
    };
    let alone = || {
        let name = value.strip_prefix('$')?;
        is_name(name).then_some(value)
    };
    let percent = || {
        let name = value.strip_prefix('%')?.strip_suffix('%')?;
        is_name(name).then_some(value)
    };
    between("${", "}")
        .or_else(|| between("{{", "}}"))
        .or_else(alone)
        .or_else(percent)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.:- ".contains(&byte))
}

fn is_example(kind: Kind, value: &str) -> bool {
    let is_dots = value.chars().all(|char| matches!(char, '.' | '…' | '*'));
    let is_named = value.starts_with('<') && value.ends_with('>');
    let is_nothing = ["null", "undefined", "none"].contains(&value.to_ascii_lowercase().as_str());
    match kind {
        Kind::Password => is_dots,
        Kind::Plain | Kind::Token => is_dots || is_named || is_nothing || value.contains('…'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_told_for_what_it_is() {
        let unexpanded = |text: &str| Err(Mistake::Unexpanded(text.to_owned()));
        let example = |text: &str| Err(Mistake::Example(text.to_owned()));
        for (kind, value, expected) in [
            (Kind::Token, "\"0123456789abcdef\"", Err(Mistake::Quoted)),
            (Kind::Token, "'0123456789abcdef'", Err(Mistake::Quoted)),
            (Kind::Plain, "“https://acme.daktela.com”", Err(Mistake::Quoted)),
            (Kind::Token, "…", example("…")),
            (Kind::Token, "...", example("...")),
            (Kind::Token, "<your token>", example("<your token>")),
            (Kind::Token, "undefined", example("undefined")),
            (Kind::Plain, "${user_config.url}", unexpanded("${user_config.url}")),
            (Kind::Plain, "https://${HOST}/", unexpanded("${HOST}")),
            (
                Kind::Token,
                "${input:daktela-token}",
                unexpanded("${input:daktela-token}"),
            ),
            (
                Kind::Token,
                "$DAKTELA_ACCESS_TOKEN",
                unexpanded("$DAKTELA_ACCESS_TOKEN"),
            ),
            (Kind::Token, "%TOKEN%", unexpanded("%TOKEN%")),
            (Kind::Token, "{{ token }}", unexpanded("{{ token }}")),
            (Kind::Token, "Bearer 0123456789abcdef", Err(Mistake::NotAToken)),
            (Kind::Token, "0123456789abcdéf", Err(Mistake::NotAToken)),
            (Kind::Token, "0123456789abcdef", Ok(())),
            (Kind::Plain, "https://acme.daktela.com", Ok(())),
            (Kind::Plain, "jan.novak", Ok(())),
            (Kind::Password, "\"hunter2\"", Err(Mistake::Quoted)),
            (
                Kind::Password,
                "${user_config.password}",
                unexpanded("${user_config.password}"),
            ),
            (Kind::Password, "…", example("…")),
            (Kind::Password, "p${ASS}word $x % \" <a> null", Ok(())),
        ] {
            assert_eq!(check(kind, value), expected, "{value}");
        }
    }
}
