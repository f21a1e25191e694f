//! The page of the real process in a real browser.

#[path = "support/browser.rs"]
mod browser;
mod support;

use browser::Browser;
use support::{Service, by_hand};

const EVIL: &str = "<img src=x onerror=document.title='owned'>";

fn service() -> Service {
    let config = [
        by_hand(
            "greet",
            "about = \"Says hello\"\ncommand = \"echo '<b>hello</b> & co'\"",
        ),
        by_hand("sleep", "command = \"sleep 1000\""),
        by_hand(
            EVIL,
            "command = [\"echo\", \"<script>document.title='owned'</script>\"]",
        ),
        "[[job]]\nname = \"tick\"\nevery = \"300ms\"\ncommand = [\"true\"]\n".to_owned(),
    ]
    .concat();
    Service::start(&config)
}

/// The service and its page, shown; nothing without a browser.
fn shown(width: u32, scheme: &str, hash: &str) -> Option<(Service, Browser)> {
    let mut browser = Browser::start()?;
    let service = service();
    browser.emulate(width, 900, scheme);
    browser.go(&format!("http://{}/{hash}", service.address));
    browser.until("document.body?.dataset.ready");
    Some((service, browser))
}

fn button(job: &str, class: &str) -> String {
    format!(
        "[...document.querySelectorAll('.job')]\
         .find(j => j.querySelector('h3').textContent === {job:?}).querySelector('button.{class}')"
    )
}

#[test]
fn the_page_shows_jobs_live_and_its_buttons_work() {
    let Some((service, mut page)) = shown(1280, "light", "") else {
        return;
    };
    let names = page.value("[...document.querySelectorAll('.job h3')].map(h => h.textContent)");
    assert_eq!(names, serde_json::json!(["greet", "sleep", EVIL, "tick"]));

    page.until("document.querySelector('#live').dataset.state === 'live'");
    page.until("document.querySelectorAll('.job')[3].querySelectorAll('rect.ok').length > 3");
    page.until("document.querySelectorAll('.loop').length === 3");
    assert_eq!(
        page.value("document.querySelector('#live').textContent"),
        "live",
        "not by polling"
    );
    let left = "parseFloat(document.querySelector('.job .next b').textContent)";
    assert!(page.value(left).is_number(), "a countdown");

    // The first run of `sleep` is going on: its card has a button for that.
    page.until(&button("sleep", "cancel"));
    page.value(&format!("{}.click()", button("sleep", "cancel")));
    service.until("/api/runs?job=sleep", |runs| {
        runs["runs"][0]["status"] == "cancelled"
    });
    page.until(&format!("!{}", button("sleep", "cancel")));

    page.value(&format!("{}.click()", button("greet", "run")));
    let runs = service.until("/api/runs?job=greet", |runs| {
        runs["runs"][0]["trigger"] == "manual"
    });
    let id = runs["runs"][0]["id"].as_i64().unwrap();
    page.until("document.querySelector('.toast')?.textContent.startsWith('greet: run')");

    // The output is there for the asking, as text.
    let toggle = format!("document.querySelector('[aria-controls=output-{id}]')");
    page.until(&toggle);
    page.value(&format!("{toggle}.click()"));
    let output = format!("document.querySelector('#output-{id}')");
    page.until(&format!("{output}.textContent === '<b>hello</b> & co\\n'"));
    assert_eq!(page.value(&format!("{output}.children.length")), 0);
    assert_eq!(
        page.value(&format!("{toggle}.getAttribute('aria-expanded')")),
        "true"
    );

    assert_eq!(
        page.value("document.title"),
        "jobs",
        "no name and no output became markup"
    );
    assert_eq!(page.value("document.querySelectorAll('img').length"), 0);
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn without_events_the_page_asks() {
    let Some((_service, mut page)) = shown(1280, "light", "#poll") else {
        return;
    };
    page.until("document.querySelector('#live').textContent === 'live, polling'");
    let count = "Number(document.querySelectorAll('#totals dd')[1].textContent)";
    let before = page.value(count).as_f64().unwrap();
    page.until(&format!("{count} > {before}"));
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn the_page_fits_phones_and_desktops_light_and_dark() {
    let Some((_service, mut page)) = shown(360, "light", "") else {
        return;
    };
    page.until("document.querySelectorAll('tr.entry').length > 4");
    let mut backgrounds = Vec::new();
    for (width, scheme) in [
        (320, "light"),
        (390, "dark"),
        (820, "light"),
        (1440, "dark"),
    ] {
        page.emulate(width, 900, scheme);
        let wide = page.value("document.documentElement.scrollWidth - innerWidth");
        assert!(
            wide.as_i64().unwrap() <= 0,
            "{width} px: {wide} px too wide"
        );
        let small = page.value(
            "[...document.querySelectorAll('button')].filter(b => b.offsetHeight > 0)\
             .map(b => b.offsetHeight).reduce((a, b) => Math.min(a, b))",
        );
        let least = if width < 600 { 40 } else { 28 };
        assert!(
            small.as_i64().unwrap() >= least,
            "{width} px: a button {small} px high"
        );
        backgrounds.push(page.value("getComputedStyle(document.body).backgroundColor"));
    }
    assert_eq!(backgrounds[0], backgrounds[2]);
    assert_eq!(backgrounds[1], backgrounds[3]);
    assert_ne!(
        backgrounds[0], backgrounds[1],
        "dark is another colour than light"
    );
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[test]
fn the_page_says_when_the_service_is_gone() {
    let Some((service, mut page)) = shown(1280, "dark", "") else {
        return;
    };
    page.until("document.querySelector('#live').dataset.state === 'live'");
    service.interrupt();
    // `sleep` is still going on, so there is a time in which it is ending.
    page.until("document.querySelector('#live').dataset.state === 'stop'");
    page.until("document.querySelector('.next b').textContent === 'never: ending'");
    drop(service);
    page.until("document.querySelector('#live').dataset.state === 'lost'");
}
