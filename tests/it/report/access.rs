//! Tests the accessibility of report.html: keyboard, screen readers, dark mode, narrow screens, and
//! no scripts.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::browser::{Browser, page_of};
use crate::support::workspace::makefiles;
use crate::support::{Finished, run_in};

/// Runs jobs with cases of most outcomes, in a workspace with the fixtures' longest names.
fn run() -> (tempfile::TempDir, Finished) {
    let long = "a_name_without_any_blank_that_is_wider_than_a_narrow_window_by_far_".repeat(3);
    let bad = format!(
        "check:\n @echo fine\ntest:\n @printf 'TAP version 13\\n1..4\\nok 1 - adds\\nnot ok 2 - subtracts\\n\
         # the difference is wrong\\nok 3 - later # SKIP no kvm\\nnot ok 4 - {long}\\n'; false\n.PHONY: check test"
    );
    let sometimes = "check:\n @echo fine\ntest:\n @printf 'TAP version 13\\n1..1\\n'; \
         if [ -e tried ]; then echo 'ok 1 - second'; else touch tried; echo 'not ok 1 - second'; false; fi\n.PHONY: check test";
    let workspace = makefiles(&[
        ("bad", &bad),
        ("sometimes", sometimes),
        (
            "nothing",
            "check:\n @echo fine\ntest:\n @true\n.PHONY: check test",
        ),
        (
            "missing",
            "check:\n @echo fine\ntest:\n @no-such-program-anywhere\n.PHONY: check test",
        ),
    ]);
    let run = run_in(workspace.path())
        .args(["-p", "makefile", "--retries", "1"])
        .finish()
        .expect_code(1);
    (workspace, run)
}

fn opened(browser: &mut Browser, run: &Finished) -> PathBuf {
    let page = run.reports.join("report.html");
    browser.open(&page, "");
    page
}

/// Returns role, name and state (expanded or pressed) of every element in the accessibility tree.
fn tree(browser: &mut Browser) -> Vec<(String, String, Value)> {
    let answer = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes = answer["nodes"].as_array().expect("nodes").iter();
    let texts = ["StaticText", "InlineTextBox", "generic", "paragraph"];
    let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
    nodes
        .filter(|node| node["ignored"] == false)
        .filter(|node| !texts.contains(&node["role"]["value"].as_str().unwrap_or_default()))
        .map(|node| {
            let properties = node["properties"].as_array().into_iter().flatten();
            let mut state = properties.filter(|one| {
                ["expanded", "pressed"]
                    .iter()
                    .any(|name| one["name"] == *name)
            });
            let state = state
                .next()
                .map_or(Value::Null, |one| one["value"]["value"].clone());
            (text(&node["role"]), text(&node["name"]), state)
        })
        .collect()
}

/// Returns the names with a role.
fn of_role(tree: &[(String, String, Value)], role: &str) -> Vec<String> {
    let of_role = tree.iter().filter(|(one, ..)| one == role);
    of_role.map(|(_, name, _)| name.clone()).collect()
}

#[test]
fn keys_and_screen_readers_come_to_everything() {
    let (_workspace, run) = run();
    let mut browser = Browser::start();
    opened(&mut browser, &run);
    everything_has_a_name(&mut browser);
    keys_search_move_and_unfold(&mut browser);
    tab_comes_to_the_cases_wherever_the_list_stands(&mut browser);
}

fn everything_has_a_name(browser: &mut Browser) {
    let tree = tree(browser);
    for (role, name, _) in &tree {
        let controls = [
            "button",
            "link",
            "searchbox",
            "combobox",
            "table",
            "group",
            "image",
        ];
        let named = !name.is_empty() || !controls.contains(&role.as_str());
        assert!(named, "a {role} without a name in {tree:#?}");
    }
    let has = |role: &str, name: &str| of_role(&tree, role).iter().any(|one| one.starts_with(name));
    for (role, name) in [
        ("searchbox", "Search the cases"),
        ("combobox", "Job"),
        ("combobox", "Order"),
        ("table", "Jobs"),
        ("columnheader", "Component"),
        ("columnheader", "test"),
        ("rowheader", "bad"),
        ("group", "Jobs over workers and time"),
        ("list", "Cases"),
        ("status", ""),
        ("button", "✗ failed subtracts bad.test"),
    ] {
        assert!(has(role, name), "{role} {name} in {tree:#?}");
    }
    let links = of_role(&tree, "link");
    let bar = links
        .iter()
        .find(|name| name.starts_with("bad.test: failed, "));
    assert!(
        bar.is_some_and(|name| name.contains(", on worker ")),
        "{links:?}"
    );
}

/// Returns the name of the focused case, and its state.
fn focused(browser: &mut Browser) -> (String, bool) {
    let name = browser.text(
        "document.activeElement.querySelector?.('.mono')?.textContent ?? document.activeElement.id",
    );
    let unfolded =
        browser.evaluate("document.activeElement.getAttribute('aria-expanded') === 'true'");
    (name, unfolded == true)
}

fn keys_search_move_and_unfold(browser: &mut Browser) {
    browser.press("/");
    assert_eq!(focused(browser).0, "search");
    browser.enter("subtr");
    assert_eq!(
        browser
            .text("document.getElementById('found').textContent")
            .split(' ')
            .next(),
        Some("1")
    );
    browser.press("ArrowDown");
    assert_eq!(focused(browser), ("subtracts".to_owned(), false));
    for key in ["Enter", "Space", "Space"] {
        browser.press(key);
    }
    assert_eq!(focused(browser), ("subtracts".to_owned(), true));
    let row = tree(browser)
        .into_iter()
        .find(|(role, name, _)| role == "button" && name.contains("subtracts"));
    assert_eq!(row.expect("the row").2, true, "unfolded");
    let detail = browser.text("document.querySelector('.detail').innerText");
    for text in [
        "the difference is wrong",
        "bad.test",
        "kata-ci run",
        "logs/bad.test",
    ] {
        assert!(detail.contains(text), "{text} in {detail}");
    }
    // Into the details and back again.
    browser.press("Tab");
    assert_eq!(
        browser.text("document.activeElement.textContent"),
        "Copy link"
    );
    browser.press("/");
    browser.press("Escape");
    assert_eq!(browser.text("document.getElementById('search').value"), "");
    browser.press("ArrowDown");
    for key in ["End", "ArrowUp", "ArrowDown", "ArrowDown"] {
        browser.press(key);
    }
    let last = browser.text("document.querySelector('#rows li:last-child .mono').textContent");
    assert_eq!(focused(browser).0, last);
    browser.press("Home");
    let first = browser.text("document.querySelector('#rows li:first-child .mono').textContent");
    assert_eq!(focused(browser).0, first);
}

fn tab_comes_to_the_cases_wherever_the_list_stands(browser: &mut Browser) {
    let cases: String = (0..500)
        .map(|number| format!("<testcase name=\"case_{number}\"/>"))
        .collect();
    let place = tempfile::tempdir().expect("a directory");
    let page = page_of(
        place.path(),
        &format!("<testsuite name=\"s\">{cases}</testsuite>"),
    );
    browser.tab();
    browser.open(&page, "");
    for (top, seen) in [
        (1e6, "case_499"),
        (8000.0, "case_240"),
        (7000.0, "case_210"),
    ] {
        browser.evaluate(&format!(
            "document.getElementById('list').scrollTop = {top}"
        ));
        browser.until(&format!(
            "document.getElementById('rows').textContent.includes('{seen}')"
        ));
        expect_order(browser);
        browser.evaluate("document.getElementById('sort').focus({preventScroll: true})");
        browser.press("Tab");
        assert_eq!(browser.evaluate(ON_A_CASE), true, "{seen}");
    }
    for key in ["End", "PageUp", "PageUp", "ArrowDown", "Home"] {
        browser.press(key);
        assert_eq!(browser.evaluate(ON_A_CASE), true, "{key}");
        expect_order(browser);
    }
    // A focused row keeps the focus when it is out of sight.
    browser.evaluate("document.getElementById('list').scrollTop = 8000");
    browser.until("document.getElementById('rows').textContent.includes('case_240')");
    browser.press("ArrowDown");
    assert_eq!(focused(browser).0, "case_1");
}

const ON_A_CASE: &str = "document.activeElement.classList.contains('case')";

/// Expects the same order in the document and on the screen, in whatever way the list was scrolled.
fn expect_order(browser: &mut Browser) {
    let tops = "[...document.querySelectorAll('#rows li')].map((row) => row.offsetTop)";
    let tops = browser.evaluate(tops);
    let tops: Vec<_> = tops
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(Value::as_u64)
        .collect();
    assert!(tops.len() > 10 && tops.is_sorted(), "{tops:?}");
}

/// Finds texts with too little contrast (WCAG 2, AA: 4.5).
const FAINT: &str = r"(() => {
    const parse = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
    const light = (colour) => {
        const part = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        return 0.2126 * part(colour[0]) + 0.7152 * part(colour[1]) + 0.0722 * part(colour[2]);
    };
    const ratio = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const behind = (node) => {
        const bar = node.closest('svg a')?.querySelector('rect');
        if (bar) return parse(getComputedStyle(bar).fill);
        for (; node; node = node.parentElement) {
            const colour = parse(getComputedStyle(node).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
            if (colour[3] !== 0) throw new Error('half transparent: ' + node.className);
        }
        throw new Error('nothing behind it');
    };
    const faint = [];
    let seen = 0;
    const judge = (text, colour, node) => {
        const found = ratio(parse(colour), behind(node));
        seen++;
        if (found < 4.5) faint.push(`${text.trim().slice(0, 40)} (${node.getAttribute('class') || node.tagName}): ${found.toFixed(2)}`);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !node.checkVisibility() || ['SCRIPT', 'title'].includes(node.tagName)) continue;
        const style = getComputedStyle(node);
        judge(walker.currentNode.data, node instanceof SVGElement ? style.fill : style.color, node);
    }
    const search = document.getElementById('search');
    judge('placeholder', getComputedStyle(search, '::placeholder').color, search);
    return [seen > 60, getComputedStyle(document.body).backgroundColor, [...new Set(faint)]];
})()";

#[test]
fn texts_stand_out_by_day_and_by_night_and_fit_a_narrow_screen() {
    let (_workspace, run) = run();
    let mut browser = Browser::start();
    let page = opened(&mut browser, &run);
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        browser.call("Emulation.setEmulatedMedia", json!({"features": features}));
        for change in [
            "document.querySelectorAll('#rows li:nth-child(-n + 3) .case[aria-expanded=false]').forEach((row) => row.click())",
            "document.querySelectorAll('.chip:not([data-state=all])').forEach((chip) => chip.click())",
        ] {
            browser.evaluate(change);
            let judged = browser.evaluate(FAINT);
            assert_eq!(
                (&judged[0], &judged[2]),
                (&json!(true), &json!([])),
                "{scheme}"
            );
            grounds.push(judged[1].to_string());
        }
    }
    assert_ne!(grounds[0], grounds[2], "the dark is dark");
    fits_a_narrow_screen(&mut browser, &page);
}

fn fits_a_narrow_screen(browser: &mut Browser, page: &Path) {
    browser.tab();
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        json!({"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": false}),
    );
    browser.open(page, "#state=failed");
    let beyond = "(() => {
        document.querySelectorAll('#rows .case[aria-expanded=false]').forEach((row) => row.click());
        return [document.documentElement, document.getElementById('list')].map((box) => box.scrollWidth - box.clientWidth);
    })()";
    assert_eq!(browser.evaluate(beyond), json!([0, 0]));
}

#[test]
fn without_scripts_all_that_did_not_pass_can_be_read() {
    let (_workspace, run) = run();
    let mut browser = Browser::start();
    browser.call(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    opened(&mut browser, &run);
    let seen = browser.text("document.body.innerText");
    assert_eq!(
        browser.evaluate("document.documentElement.dataset.ready ?? null"),
        Value::Null
    );
    for text in [
        "Everything that did not pass",
        "1 failed, 1 vacuous, 1 error, 5 passed",
        "subtracts",
        "the difference is wrong",
        "no kvm",
        "second",
        "no-such-program-anywhere",
        "kata-ci run",
    ] {
        assert!(seen.contains(text), "{text} in {seen}");
    }
    let controls = browser.evaluate("[...document.querySelectorAll('button, input, select')].filter((one) => one.checkVisibility()).length");
    assert_eq!(controls, 0, "nothing is offered that needs scripts");
}
