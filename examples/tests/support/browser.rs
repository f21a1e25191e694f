//! A headless Chromium, driven by its debugging protocol over two pipes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use polyloop_tests::{find_program, require_that};
use serde_json::{Value, json};
use tempfile::TempDir;

/// No page of a test takes longer.
const WATCHDOG: Duration = Duration::from_secs(60);

/// One page of a browser of its own.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// What every message to the page must carry: a field and its value.
    page: Option<(String, Value)>,
    next: u64,
    /// What the page complained of: exceptions, refused resources, error messages.
    pub complaints: Vec<String>,
    _profile: TempDir,
}

impl Browser {
    /// A browser with an empty page; without a Chromium, what to install is said
    /// and the test is to return.
    pub fn start() -> Option<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let program = names.into_iter().find_map(find_program);
        let hint = "apt-get install chromium";
        if !require_that(program.is_some(), "Chromium", hint) {
            return None;
        }
        let program = program?;
        let profile = tempfile::tempdir().expect("a temporary folder");
        // Chromium takes commands at descriptor 3 and answers at 4.
        let mut child = Command::new("/bin/sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let to = child.stdin.take().expect("piped");
        let from = BufReader::new(child.stdout.take().expect("piped"));
        let mut browser = Self {
            child,
            to,
            from,
            page: None,
            next: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        browser.attach();
        Some(browser)
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        // The answer's only field goes into all later messages, as it is.
        let attached = self.call("Target.attachToTarget", attach);
        self.page = attached
            .as_object()
            .and_then(|fields| fields.clone().into_iter().next());
        assert!(self.page.is_some(), "no page to attach to: {attached}");
        for domain in ["Page", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Gives the page a size in CSS pixels and a colour scheme.
    pub fn emulate(&mut self, width: u32, height: u32, scheme: &str) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1,
                           "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", media);
    }

    pub fn go(&mut self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url }));
        assert!(answer["errorText"].is_null(), "{answer}");
    }

    /// The value of a JavaScript expression in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let what = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", what);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer:#}"
        );
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn until(&mut self, expression: &str) {
        let begin = Instant::now();
        while self.value(&format!("Boolean({expression})")) != true {
            assert!(
                begin.elapsed() < WATCHDOG,
                "never: {expression}\n{}\n{:?}",
                self.value("document.body.innerText"),
                self.complaints
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if let Some((field, value)) = &self.page {
            message[field.as_str()] = value.clone();
        }
        self.to
            .write_all(format!("{message}\0").as_bytes())
            .expect("the browser is there");
        loop {
            let mut bytes = Vec::new();
            let count = self
                .from
                .read_until(0, &mut bytes)
                .expect("the browser answers");
            assert!(count > 0, "the browser has ended");
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
            if answer["id"] == self.next {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        let is_bad = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => params["type"] == "error",
            Some("Log.entryAdded") => params["entry"]["level"] == "error",
            _ => false,
        };
        if is_bad {
            self.complaints.push(params.to_string());
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// No window, no sandbox (a container has none to give), no traffic of its own.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--remote-debugging-pipe",
];
