//! Progress notifications, for clients that ask for them: how far a call is and what it waits for.

use std::future::Future;

use rmcp::{
    RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::Peer,
};

use crate::egress::CallBudget;

/// A call of one request is over before anybody could look.
const FIRST_NEWS: u64 = 2;

/// Runs `work`, with progress to `peer` on the way. None comes after the work is done.
pub(super) async fn report<T>(
    work: impl Future<Output = T>,
    call: &CallBudget,
    token: Option<ProgressToken>,
    peer: &Peer<RoleServer>,
) -> T {
    let Some(token) = token else { return work.await };
    let mut progress = call.progress();
    tokio::pin!(work);
    loop {
        let latest = tokio::select! {
            biased;
            done = &mut work => return done,
            changed = progress.changed() => match changed {
                Ok(()) => *progress.borrow_and_update(),
                // The call is gone, and the work with it in a moment.
                Err(_) => return work.await,
            },
        };
        let message = match latest.wait {
            Some(wait) => wait.to_string(),
            None if latest.answers >= FIRST_NEWS => format!("{} answers from Daktela", latest.answers),
            None => continue,
        };
        #[expect(clippy::cast_precision_loss, reason = "a call has some thousand steps at most")]
        let notification = ProgressNotificationParam::new(token.clone(), latest.steps as f64).with_message(message);
        // A client that does not listen any longer will cancel, or not; the call goes on meanwhile, and what happens until this
        // is read is told as one.
        let told = peer.notify_progress(notification);
        tokio::pin!(told);
        tokio::select! {
            biased;
            done = &mut work => {
                // Or it could come behind the answer.
                let _ = told.await;
                return done;
            }
            _ = &mut told => {}
        }
    }
}
