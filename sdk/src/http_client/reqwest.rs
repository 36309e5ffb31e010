//! reqwest's client, measured. reqwest has no middleware for requests, so a wrapper stands in front of it; requests,
//! responses and errors stay reqwest's own.

use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use reqwest::{Body, Client, Error, IntoUrl, Request, RequestBuilder, Response, ResponseBuilderExt as _, Url};
use serde::Serialize;

use super::HttpClient;
use super::call::{Call, Target};
use super::future::CallFuture;

/// reqwest's client with every call counted; [`HttpClient::reqwest`] makes one. Clones share its connections.
#[derive(Debug, Clone)]
pub struct MeasuredClient {
    inner: Client,
    client: HttpClient,
}

/// reqwest's request builder, whose [`send`](MeasuredRequest::send) is counted.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct MeasuredRequest {
    inner: RequestBuilder,
    client: HttpClient,
}

impl HttpClient {
    /// This dependency behind a reqwest client. Whatever was called on that stays as it is:
    ///
    /// ```no_run
    /// # async fn show(telemetry: kilter::Telemetry) -> Result<(), kilter::reqwest::Error> {
    /// let identity = telemetry.http_client("identity").reqwest(kilter::reqwest::Client::new());
    /// let user = identity.get("http://identity/users/1").send().await?.error_for_status()?.text().await?;
    /// # let _ = user; Ok(()) }
    /// ```
    ///
    /// One `send` is one call: redirects that reqwest follows, and retries of its own, are within it.
    pub fn reqwest(&self, inner: Client) -> MeasuredClient {
        MeasuredClient { inner, client: *self }
    }
}

impl MeasuredClient {
    /// `GET`.
    pub fn get(&self, url: impl IntoUrl) -> MeasuredRequest {
        self.request(Method::GET, url)
    }

    /// `POST`.
    pub fn post(&self, url: impl IntoUrl) -> MeasuredRequest {
        self.request(Method::POST, url)
    }

    /// `PUT`.
    pub fn put(&self, url: impl IntoUrl) -> MeasuredRequest {
        self.request(Method::PUT, url)
    }

    /// `PATCH`.
    pub fn patch(&self, url: impl IntoUrl) -> MeasuredRequest {
        self.request(Method::PATCH, url)
    }

    /// `DELETE`.
    pub fn delete(&self, url: impl IntoUrl) -> MeasuredRequest {
        self.request(Method::DELETE, url)
    }

    /// `HEAD`.
    pub fn head(&self, url: impl IntoUrl) -> MeasuredRequest {
        self.request(Method::HEAD, url)
    }

    /// Any method.
    pub fn request(&self, method: Method, url: impl IntoUrl) -> MeasuredRequest {
        MeasuredRequest { inner: self.inner.request(method, url), client: self.client }
    }

    /// Sends a request that is built already.
    pub fn execute(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send + use<> {
        execute(self.client, self.inner.clone(), request)
    }

    /// The client within. What it sends by itself is not counted.
    pub fn inner(&self) -> &Client {
        &self.inner
    }
}

impl MeasuredRequest {
    /// Does to reqwest's builder what is not named here, such as `multipart`.
    pub fn with(self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        Self { inner: change(self.inner), client: self.client }
    }

    /// Adds a header.
    pub fn header<K, V>(self, key: K, value: V) -> Self
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        self.with(|it| it.header(key, value))
    }

    /// Adds headers, in place of those of the same names.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.with(|it| it.headers(headers))
    }

    /// Basic authentication.
    pub fn basic_auth(self, user: impl std::fmt::Display, password: Option<impl std::fmt::Display>) -> Self {
        self.with(|it| it.basic_auth(user, password))
    }

    /// Bearer authentication.
    pub fn bearer_auth(self, token: impl std::fmt::Display) -> Self {
        self.with(|it| it.bearer_auth(token))
    }

    /// The body.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.with(|it| it.body(body))
    }

    /// The body as JSON.
    pub fn json(self, json: &(impl Serialize + ?Sized)) -> Self {
        self.with(|it| it.json(json))
    }

    /// The body as a form.
    pub fn form(self, form: &(impl Serialize + ?Sized)) -> Self {
        self.with(|it| it.form(form))
    }

    /// Adds to the query string.
    pub fn query(self, query: &(impl Serialize + ?Sized)) -> Self {
        self.with(|it| it.query(query))
    }

    /// A deadline from sending to the last byte of the response. A call that it ends counts as `timeout`.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|it| it.timeout(timeout))
    }

    /// The version of HTTP.
    pub fn version(self, version: Version) -> Self {
        self.with(|it| it.version(version))
    }

    /// The request, for [`MeasuredClient::execute`].
    ///
    /// # Errors
    ///
    /// What was wrong with the URL, a header or the body.
    pub fn build(self) -> Result<Request, Error> {
        self.inner.build()
    }

    /// A second builder of the same request, unless its body is a stream.
    pub fn try_clone(&self) -> Option<Self> {
        Some(Self { inner: self.inner.try_clone()?, client: self.client })
    }

    /// Sends it. A request that cannot be built is no call.
    ///
    /// # Errors
    ///
    /// reqwest's own.
    pub async fn send(self) -> Result<Response, Error> {
        let (inner, request) = self.inner.build_split();
        execute(self.client, inner, request?).await
    }
}

/// Counts one request of reqwest's, from its first poll on: a future that nobody polls is no call.
async fn execute(client: HttpClient, inner: Client, mut request: Request) -> Result<Response, Error> {
    let context = crate::trace::outgoing(request.headers_mut());
    let mut call = Call::open(client, request.method(), context, || Target::of_url(request.url()));
    let future = call.watch.run(|| inner.execute(request));
    let whole = async move { future.await.map(keep_url) };
    CallFuture::new(whole, call).await.map(|response| response.map(Body::wrap).into())
}

/// The response as `http` has it, with its URL, which it would lose otherwise.
fn keep_url(response: Response) -> http::Response<Body> {
    let marked = http::Response::builder().url(response.url().clone()).body(());
    let mut response = http::Response::<Body>::from(response);
    if let Ok(marked) = marked {
        response.extensions_mut().extend(marked.into_parts().0.extensions);
    }
    response
}

impl Target {
    fn of_url(url: &Url) -> Self {
        let host = url.host_str().map(str::to_owned);
        Self { scheme: Some(url.scheme().to_owned()), host, port: url.port(), path: url.path().to_owned() }
    }
}
