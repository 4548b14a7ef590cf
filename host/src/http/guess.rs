//! A password in a header can be guessed at as well as one on a page.

use super::throttle::{Attempt, Throttle, TooMany, in_time};
use crate::{egress::PasswordStatus, identity::Identity};
use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
};

/// The one guess that the password of an identity is, however many requests bring it. Over with the last of them.
pub(crate) struct Guess {
    identity: Arc<Identity>,
    attempt: Option<Attempt>,
}

/// `None` for whom there is nothing to guess at: a token, a password that Daktela took before, and one that counts already.
pub(super) async fn guess(
    throttle: &Throttle,
    identity: &Arc<Identity>,
    address: IpAddr,
) -> Result<Option<Arc<Guess>>, TooMany> {
    let Some(account) = &identity.account else {
        return Ok(None);
    };
    let turn = async {
        let mut open = identity.guess.lock().await;
        if identity.counted.load(Ordering::Acquire) || identity.egress.password_status() == PasswordStatus::Accepted {
            return Ok(None);
        }
        if let Some(guess) = open.upgrade() {
            return Ok(Some(guess));
        }
        let guess = Arc::new(Guess {
            attempt: Some(throttle.attempt(address, account).await?),
            identity: identity.clone(),
        });
        *open = Arc::downgrade(&guess);
        Ok(Some(guess))
    };
    in_time(turn).await
}

impl Drop for Guess {
    fn drop(&mut self) {
        let Some(attempt) = self.attempt.take() else { return };
        match self.identity.egress.password_status() {
            PasswordStatus::Unknown | PasswordStatus::Accepted => attempt.give_back(),
            // Who hangs up has guessed, too. To send the same password again is no second guess.
            PasswordStatus::Pending | PasswordStatus::Rejected => self.identity.counted.store(true, Ordering::Release),
        }
    }
}
