//! Tests report.html in a real browser: it works offline, with any names of tests, and links lead
//! to a case.

use std::path::Path;

use quick_xml::escape::escape;
use serde_json::{Value, json};

use crate::support::browser::{Browser, page_of};

/// Expects no requests and no errors of the page.
fn expect_quiet(browser: &Browser, page: &Path) {
    let own = format!("file://{}", page.display());
    let mut requests = 0;
    for event in &browser.events {
        let told = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => {
                assert_eq!(told["request"]["url"], own);
                requests += 1;
            }
            "Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled" => {
                panic!("{event}")
            }
            _ => {}
        }
    }
    assert_eq!(requests, 1);
}

/// Returns 100,000 cases, of which 100 failed.
fn many() -> String {
    let mut xml = String::from("<testsuites><testsuite name=\"many\">");
    for number in 0..100_000 {
        let inside = match number % 1000 {
            0 => "<failure message=\"no &lt;such&gt; thing\">trace</failure>",
            _ => "",
        };
        xml.push_str(&format!(
            "<testcase classname=\"package{}.Class\" name=\"test_number_{number}\" time=\"0.01\">{inside}</testcase>",
            number % 50
        ));
    }
    xml + "</testsuite></testsuites>"
}

/// Returns the processor time of the page's main thread, in seconds.
fn worked(browser: &mut Browser) -> f64 {
    let answer = browser.call("Performance.getMetrics", json!({}));
    let metrics = answer["metrics"].as_array().expect("metrics");
    let task = metrics
        .iter()
        .find(|metric| metric["name"] == "TaskDuration");
    task.and_then(|metric| metric["value"].as_f64())
        .expect("a time")
}

/// Searches, and returns the page's own count of the results when they are drawn.
const SEARCH: &str = "(async (text) => {
    const search = document.getElementById('search');
    search.focus();
    search.value = text;
    search.dispatchEvent(new Event('input'));
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    return document.getElementById('found').textContent + '; ' + document.querySelectorAll('#rows li').length;
})";

#[test]
fn a_hundred_thousand_cases_open_and_filter_in_three_seconds() {
    let place = tempfile::tempdir().expect("a directory");
    let page = page_of(place.path(), &many());
    let mut browser = Browser::start();
    browser.call("Performance.enable", json!({"timeDomain": "threadTicks"}));
    browser.open(&page, "");
    let found = browser.text(&format!("{SEARCH}('number_54321')"));
    // The page is measured by the processor time of its one thread, because the clock depends on
    // the load of the machine.
    let (worked, clock) = (worked(&mut browser), browser.evaluate("performance.now()"));
    let clock = clock.as_f64().expect("milliseconds") / 1000.0;
    println!("100,000 cases opened and filtered in {clock:.2} s ({worked:.2} s of the processor)");
    assert!(
        worked > 0.01 && worked < 3.0,
        "{worked} s of the processor, {clock} s"
    );
    assert_eq!(found, "1 of 100,000 cases; 1");
    expect_quiet(&browser, &page);

    let found = browser.text(&format!("{SEARCH}('SUCH package7.')"));
    assert_eq!(
        found, "0 of 100,000 cases; 0",
        "every thousandth is of package0"
    );
    let found = browser.text(&format!("{SEARCH}('thing such')"));
    let (found, rows) = found.split_once("; ").expect("both");
    assert_eq!(found, "100 of 100,000 cases", "words of the message");
    // The page only has rows that are in view.
    assert!(
        rows.parse::<u32>()
            .is_ok_and(|rows| (5..60).contains(&rows)),
        "{rows}"
    );
    browser.text(&format!("{SEARCH}('')"));
    browser.evaluate("document.querySelector('.chip.passed').click()");
    let first = browser.text("document.querySelector('#rows li').textContent");
    assert!(
        first.starts_with("✓ passedtest_number_1 package1.Class"),
        "{first}"
    );
    browser.evaluate("document.getElementById('list').scrollTop = 1e9");
    browser.until(
        "document.querySelector('#rows li:last-child').textContent.includes('test_number_99999')",
    );
    browser.evaluate("document.querySelector('.chip.failed').click()");
    let found = browser.text("document.getElementById('found').textContent");
    assert_eq!(
        found,
        "100,000 of 100,000 cases".replace("100,000 of ", ""),
        "both states are all there are"
    );
}

const HOSTILE: [&str; 8] = [
    "<script>window.hacked = 1</script>",
    "]]>",
    "</script><img src=x onerror='window.hacked = 1'>",
    "a\u{202e}b\u{2066}c",
    "\"><svg onload='window.hacked = 1'>",
    "&lt;b&gt; &amp;amp; ${x} {{y}} `z`",
    "שלום world",
    "javascript:window.hacked=1",
];

/// Returns a case of each name, with the same class, message, type, file and output.
fn hostile() -> String {
    let line = "x<b>".repeat(256 * 1024);
    let cases = HOSTILE.iter().enumerate().map(|(index, name)| {
        let line = if index == 0 { &line } else { "x<b>" };
        let name = escape(*name);
        format!(
            "<testcase classname=\"{name}\" name=\"{name}\" file=\"{name}\" line=\"1\"><failure message=\"{name}\" type=\"{name}\">{name}\n{line}</failure>\
             <system-out>{name} \u{1b}[31mred\u{1b}[0m nul[\0]</system-out></testcase>",
            line = escape(line)
        )
    });
    let cases: String = cases.collect();
    let name = escape(HOSTILE[2]);
    format!(
        "<testsuite name=\"{name}\" hostname=\"{name}\" timestamp=\"2026-01-01T00:00:00Z\" time=\"3\">\
         <properties><property name=\"{name}\" value=\"{name}\"/></properties>{cases}</testsuite>"
    )
}

/// Returns names and texts of a case from its expanded row. The row is collapsed again, because
/// only rows in view exist.
const UNFOLDED: &str = "(async (position) => {
    const button = document.querySelector(`#rows li[aria-posinset='${position}'] .case`);
    button.click();
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    const row = button.parentNode;
    const shown = {
        name: row.querySelector('.what .mono').textContent,
        texts: [...row.querySelectorAll('.detail pre')].map((text) => text.textContent),
        markup: row.querySelectorAll('img, b, svg, script').length,
    };
    button.click();
    return shown;
})";

#[test]
fn no_text_of_a_test_becomes_markup() {
    let place = tempfile::tempdir().expect("a directory");
    let page = page_of(place.path(), &hostile());
    let mut browser = Browser::start();
    browser.open(&page, "");
    let elements = browser.evaluate("[document.querySelectorAll('script').length, document.querySelectorAll('img, b:not(.tile b), [onload], [onerror]').length]");
    assert_eq!(elements, json!([2, 0]));
    for (position, name) in HOSTILE.into_iter().enumerate() {
        let name = name
            .replace('\u{202e}', "[U+202E]")
            .replace('\u{2066}', "[U+2066]");
        let shown = browser.evaluate(&format!("{UNFOLDED}({})", position + 1));
        assert_eq!(shown["name"], name);
        assert_eq!(shown["markup"], 0, "{name}");
        let texts: Vec<_> = shown["texts"]
            .as_array()
            .expect("texts")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(
            texts[0].starts_with(&name) && texts[0].ends_with("x<b>"),
            "{name}"
        );
        let whole = position > 0;
        assert_eq!(texts[0].contains("bytes left out"), !whole, "{name}");
        assert!(texts[0].len() < 64 * 1024, "{name}");
        assert_eq!(texts[1], format!("{name} red nul[\u{fffd}]"));
    }
    // Text of the other direction must not affect its surroundings.
    assert_eq!(
        browser.evaluate("getComputedStyle(document.querySelector('#rows .mono')).unicodeBidi"),
        "isolate"
    );
    assert_eq!(browser.evaluate("window.hacked"), Value::Null);
    expect_quiet(&browser, &page);
    // Markup that got in could not run or load anything, because the page's policy only allows its
    // own script.
    let stopped = browser.evaluate(
        "(async () => {
            const stopped = [];
            document.addEventListener('securitypolicyviolation', (event) => stopped.push(event.effectiveDirective));
            const script = document.createElement('script');
            script.textContent = 'window.hacked = 2';
            const image = document.createElement('img');
            image.src = 'http://127.0.0.1:9/';
            image.setAttribute('onerror', 'window.hacked = 3');
            document.body.append(script, image);
            await fetch('http://127.0.0.1:9/').catch(() => {});
            await new Promise((done) => setTimeout(done));
            return [window.hacked, [...new Set(stopped)].sort()];
        })()",
    );
    assert_eq!(
        stopped,
        json!([
            null,
            [
                "connect-src",
                "img-src",
                "script-src-attr",
                "script-src-elem"
            ]
        ])
    );
}

/// Returns name, state and visibility of the focused case.
const FOCUSED: &str = "(() => {
    const button = document.activeElement, box = button.getBoundingClientRect();
    const inside = document.getElementById('list').getBoundingClientRect();
    return [
        button.querySelector('.mono')?.textContent,
        button.getAttribute('aria-expanded'),
        box.top >= inside.top - 1 && box.bottom <= inside.bottom + 1 && box.bottom <= innerHeight,
    ];
})()";

#[test]
fn a_link_opens_its_case_whatever_its_name() {
    let odd = [
        "plain",
        "Test/sub test/#00?x=1&y=2",
        "100% \"quoted\" 'too' <b>",
        "ünï☃ \u{202e}reversed",
        "(a) ~b~ [c] {d} e+f|g\\h^i`j",
        "#case=a/b/c",
    ];
    let mut names: Vec<String> = (0..500).map(|number| format!("filler_{number}")).collect();
    names.extend(odd.map(str::to_owned));
    let cases = names.iter().map(|name| {
        let name = escape(name);
        format!("<testcase classname=\"c/{name}\" name=\"{name}\"><failure message=\"the message\">the trace of {name}</failure></testcase>")
    });
    let cases: String = cases.collect();
    let twice = "<testcase classname=\"c\" name=\"twice\"/><testcase classname=\"c\" name=\"twice\"><failure message=\"second\"/></testcase>";
    let place = tempfile::tempdir().expect("a directory");
    let page = page_of(
        place.path(),
        &format!("<testsuite name=\"s &amp; t\">{cases}{twice}</testsuite>"),
    );
    let mut browser = Browser::start();
    browser.open(&page, "");
    for name in odd {
        // The page's own link, pasted into another browser.
        let name = name.replace('\u{202e}', "[U+202E]");
        browser.text(&format!("{SEARCH}({})", json!(name)));
        browser.evaluate("document.querySelector('#rows .case').click()");
        let link = browser.text("location.hash");
        assert!(link.starts_with("#case=s%20%26%20t/c%2F"), "{link}");
        browser.tab();
        browser.open(&page, &link);
        assert_eq!(
            browser.evaluate(FOCUSED),
            json!([name, "true", true]),
            "{link}"
        );
        let detail =
            browser.text("document.activeElement.parentNode.querySelector('.detail').textContent");
        assert!(detail.contains(&format!("the trace of {name}")), "{detail}");
        expect_quiet(&browser, &page);
    }
    // Cases of the same name have a link each, and a link within the open page works as well.
    browser.text(&format!("{SEARCH}('twice')"));
    browser.evaluate("document.querySelector('#rows .case.case').click()");
    let failed = browser.text("location.hash");
    browser.evaluate("document.querySelector('#rows li:last-child .case').click()");
    assert_ne!(browser.text("location.hash"), failed);
    browser.evaluate(&format!("location.hash = {}", json!(failed)));
    browser.until("document.activeElement.textContent.startsWith('✗ failedtwice')");
    // Mail programs escape more characters than necessary.
    let escaped = "#case=s%20%26%20t/c%2F%70lain/%70lai%6E";
    browser.evaluate(&format!("location.hash = {}", json!(escaped)));
    browser.until("document.activeElement.textContent.startsWith('✗ failedplain')");
    browser.evaluate("location.hash = '#case=s/c/gone'");
    browser.until("document.getElementById('found').textContent === 'The case of this link is not in this report.'");
    // A link to a view.
    browser.tab();
    browser.open(&page, "#q=twice&state=passed");
    assert_eq!(
        browser.text("document.getElementById('found').textContent"),
        "1 of 508 cases"
    );
    assert_eq!(
        browser.text("document.getElementById('search').value"),
        "twice"
    );
    assert_eq!(
        browser.text("document.querySelector('.chip.passed').getAttribute('aria-pressed')"),
        "true"
    );
}
