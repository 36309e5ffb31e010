//! A headless Chromium, spoken to over its debugging pipe: no port, no library.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    session: Option<String>,
    sent: u64,
    /// What it told by itself, in order.
    pub(crate) events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it. It ends with this value, or after three minutes.
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-extensions --disable-background-networking --hide-scrollbars";
        // The pipe is on descriptors 3 and 4.
        let script = format!(
            "exec timeout -k 5 180 chromium {flags} --user-data-dir=\"$1\" --remote-debugging-pipe about:blank 3<&0 4>&1 0</dev/null 1>&2"
        );
        let mut child = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (session, events) = (None, Vec::new());
        let mut browser = Self { child, input, output, session, sent: 0, events, _profile: profile };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", &target);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Log", "Runtime"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Asks for something and waits for the answer.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.input.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        loop {
            let message = self.next();
            if message["id"] == self.sent {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
        }
    }

    /// The next message. Those that answer nothing are kept.
    fn next(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.output.read_until(0, &mut bytes).expect("the browser speaks");
        assert!(bytes.pop().is_some(), "chromium does not run; install it with: cargo xtask tools");
        let message: Value = serde_json::from_slice(&bytes).expect("JSON");
        if message["id"].is_null() {
            self.events.push(message.clone());
        }
        message
    }

    /// Opens a file and waits until it is there.
    pub(crate) fn open(&mut self, path: &Path) {
        self.events.clear();
        self.call("Page.navigate", &json!({"url": format!("file://{}", path.display())}));
        while !self.events.iter().any(|it| it["method"] == "Page.loadEventFired") {
            self.next();
        }
    }

    /// The value of an expression of JavaScript.
    pub(crate) fn evaluate(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", &params);
        assert!(result["exceptionDetails"].is_null(), "{}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// Light or dark, screen or print, at this width.
    pub(crate) fn look(&mut self, scheme: &str, media: &str, width: u32) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", &json!({"media": media, "features": features}));
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// A picture of the whole page, for people, in the folder `KILTER_KEEP`.
    pub(crate) fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("KILTER_KEEP") else { return };
        let shot = self.call("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut decode = Command::new("base64")
            .arg("-d")
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(Path::new(&folder).join(format!("{name}.png"))).expect("a file"))
            .spawn()
            .expect("base64 starts");
        let data = shot["data"].as_str().expect("a picture").as_bytes();
        decode.stdin.take().expect("a pipe").write_all(data).expect("it listens");
        assert!(decode.wait().expect("it ends").success());
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        for kind in ["rawKeyDown", "keyUp"] {
            let code = if key == "Tab" { 9 } else { 13 };
            let params = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", &params);
        }
    }

    /// What it told of this kind.
    pub(crate) fn told(&self, method: &str) -> Vec<&Value> {
        self.events.iter().filter(|it| it["method"] == method).map(|it| &it["params"]).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // `timeout` hands the signal on.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").arg(id).status();
        let _ = self.child.wait();
    }
}
