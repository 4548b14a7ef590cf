//! Questions on the terminal. Where there is none, the answers are the lines of stdin.

use std::io::{self, IsTerminal};

use secrecy::SecretString;

use super::super::{ExitError, print};

pub(super) struct Ask {
    /// Everything is agreed to, and nothing is asked.
    yes: bool,
}

impl Ask {
    pub(super) fn new(yes: bool) -> Self {
        Self { yes }
    }

    pub(super) fn may_ask(&self) -> bool {
        !self.yes
    }

    /// A line without its end. The end of stdin is an error, as somebody who is not there answers nothing.
    pub(super) fn line(&mut self, question: &str) -> Result<String, ExitError> {
        if self.yes {
            return Err(ExitError::usage(
                "with --yes nothing is asked: set DAKTELA_URL (or --url) and DAKTELA_ACCESS_TOKEN (or --access-token-file)",
            ));
        }
        print::prompt(question);
        let mut line = String::new();
        match io::stdin().read_line(&mut line).map_err(ExitError::failed)? {
            0 => Err(ExitError::failed(
                "the input ended before setup did; nothing was written",
            )),
            _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }

    /// A line that a terminal does not show.
    pub(super) fn secret(&mut self, question: &str) -> Result<SecretString, ExitError> {
        let typed = if self.yes || !io::stdin().is_terminal() {
            self.line(question)?
        } else {
            rpassword::prompt_password(question).map_err(ExitError::failed)?
        };
        Ok(typed.trim().to_owned().into())
    }

    /// Enter agrees.
    pub(super) fn agrees(&mut self, question: &str) -> Result<bool, ExitError> {
        if self.yes {
            return Ok(true);
        }
        let typed = self.line(&format!("{question} [Y/n] "))?.trim().to_lowercase();
        // Czech and Slovak for yes as well.
        Ok(["", "y", "yes", "a", "ano", "áno"].contains(&typed.as_str()))
    }
}
