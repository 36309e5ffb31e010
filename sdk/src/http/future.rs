//! The future of a request until its response head.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::account::Account;
use super::accounting::Phase;
use super::body::AccountedBody;
use crate::measured::poll_to_end;

pin_project! {
    /// A response on its way, with the account of its request.
    #[derive(Debug)]
    pub struct AccountedFuture<F> {
        #[pin]
        future: Option<F>,
        account: Account,
    }
}

impl<F> AccountedFuture<F> {
    pub(super) fn new(future: F, account: Account) -> Self {
        Self { future: Some(future), account }
    }
}

impl<F, B, E> Future for AccountedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<AccountedBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(pending) = this.account.pending() else {
            let pass_on = |response: Response<B>| response.map(|body| AccountedBody::new(body, Account::NONE));
            return poll_to_end(this.future, context).map_ok(pass_on);
        };
        let running = pending.enter();
        let polled = poll_to_end(this.future, context);
        running.leave();
        match ready!(polled) {
            Ok(response) => {
                if pending.head(&response) {
                    this.account.close();
                }
                let account = std::mem::replace(this.account, Account::NONE);
                Poll::Ready(Ok(response.map(|body| AccountedBody::new(body, account))))
            }
            Err(error) => {
                pending.fail(Phase::ServiceFailed);
                this.account.close();
                Poll::Ready(Err(error))
            }
        }
    }
}
