//! The shared platform, seen from here: one call, a deadline, and a breaker that leaves it alone when it fails.

use std::time::Duration;

use anyhow::Context;
use kilter::Telemetry;
use kilter::http_client::MeasuredClient;
use kilter::reqwest::{self, Client, StatusCode, Url};
use kilter::tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer, SlidingWindowType};
use serde::{Deserialize, Serialize};
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _};

/// The name that SLOs, the breaker and the calls have in common.
const DEPENDENCY: &str = "platform";

/// The breaker opens when half of the calls within this time failed.
const WINDOW: Duration = Duration::from_secs(10);

/// Who a token belongs to, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// Whose token it is.
    pub(crate) subject: String,
    /// Whether it may read repositories.
    pub(crate) read: bool,
    /// Whether it may change them.
    pub(crate) write: bool,
}

/// Why the platform gave no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// It was asked, and failed.
    Failed(reqwest::Error),
    /// It was not asked: it has failed too often just now.
    LeftAlone,
}

/// The platform behind its breaker.
#[derive(Debug, Clone)]
pub(crate) struct Platform {
    ask: BoxCloneSyncService<Url, Option<Grant>, NoAnswer>,
    url: Url,
}

impl Platform {
    /// `wait` is how long a platform that fails is left alone; without it there is no breaker.
    pub(crate) fn new(
        telemetry: &Telemetry,
        url: &str,
        timeout: Duration,
        wait: Option<Duration>,
    ) -> anyhow::Result<Self> {
        let url: Url = format!("{}/tokens/", url.trim_end_matches('/')).parse().context("the platform's URL")?;
        let client = Client::builder().timeout(timeout).build()?;
        // One line of Kilter: every call is counted, and its trace goes on.
        let client = telemetry.http_client(DEPENDENCY).reqwest(client);
        let call = tower::service_fn(move |url| ask(client.clone(), url));
        // The handle shows the breaker; without one it stays closed.
        let breaker = telemetry.breaker(DEPENDENCY);
        let ask = match wait {
            None => BoxCloneSyncService::new(call.map_err(NoAnswer::Failed)),
            Some(wait) => {
                let builder = CircuitBreakerLayer::builder()
                    // By time: a window of calls would have to be full first, and most answers are kept ones.
                    .sliding_window_type(SlidingWindowType::TimeBased)
                    .sliding_window_duration(WINDOW)
                    .minimum_number_of_calls(5)
                    .failure_rate_threshold(0.5)
                    .permitted_calls_in_half_open(1)
                    .wait_duration_in_open(wait);
                // Another one: its state, its changes, and the calls that it rejects.
                let layer = breaker.tower_resilience(builder).build()?;
                BoxCloneSyncService::new(layer.layer(call).map_err(|error| match error {
                    CircuitBreakerError::Inner(error) => NoAnswer::Failed(error),
                    CircuitBreakerError::OpenCircuit => NoAnswer::LeftAlone,
                }))
            }
        };
        Ok(Self { ask, url })
    }

    /// Whose token has this fingerprint; `None` is nobody's.
    pub(crate) async fn ask(&self, fingerprint: &str) -> Result<Option<Grant>, NoAnswer> {
        // A fingerprint has only letters and digits, so it is a name within the URL as it is.
        let url = self.url.join(fingerprint).unwrap_or_else(|_| self.url.clone());
        self.ask.clone().oneshot(url).await
    }
}

async fn ask(client: MeasuredClient, url: Url) -> Result<Option<Grant>, reqwest::Error> {
    let answer = client.get(url).send().await?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    answer.error_for_status()?.json().await.map(Some)
}
