"""The HTML report in a real browser: matrix, filters, keyboard, panels, pictures, every width."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

Open = Callable[..., Any]

# the page has a picture of a real swap
pytestmark = pytest.mark.needs("livekit-agents>=1.6.1")

SWAP = "beta::SWAP-01[b]"
OVERLAPS = """() => {
  const texts = [...document.querySelectorAll('.picture text')]
    .map((text) => [text.textContent, text.getBoundingClientRect()]);
  const found = [];
  texts.forEach(([a, one], i) => texts.slice(i + 1).forEach(([b, two]) => {
    const wide = Math.min(one.right, two.right) - Math.max(one.left, two.left);
    const high = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
    if (wide > 1 && high > 3) found.push(`${a} / ${b}`);
  }));
  return found;
}"""
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = (element) => { for (let at = element; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor); if (colour[3] === 255) return colour;
  }
    return [255, 255, 255, 255]; };
  const weak = [];
  for (const element of document.querySelectorAll('body *:not(svg *, script, style, noscript)')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.getClientRects().length) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.push(`${ratio.toFixed(2)} ${element.className} ${element.textContent}`);
  }
  return weak;
}"""


def cells(page: Any) -> dict[str, str]:
    """What is read out of each cell of the providers' table, by provider and requirement."""
    found: dict[str, str] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('td button')].map((b) =>
        [`${b.closest('td').dataset.subject} ${b.dataset.requirement}`,
         b.querySelector('.unseen').textContent]))"""
    )
    return found


def rows(page: Any) -> list[str]:
    """The requirements whose rows can be seen."""
    found: list[str] = page.locator("tbody th[scope=row]:visible .id").all_text_contents()
    return found


def focused(page: Any) -> str:
    """Provider and requirement of the cell that has the focus."""
    found: str = page.evaluate(
        """() => { const b = document.activeElement; const td = b.closest('td');
        return td ? `${td.dataset.subject} ${b.dataset.requirement}` : b.tagName; }"""
    )
    return found


def test_matrix_shows_every_outcome_in_words(open_page: Open) -> None:
    """Each cell has its outcome as text, not as a colour only."""
    assert cells(open_page()) == {
        "acme BIND-01": "passed",
        "acme SWAP-01": "passed",
        "acme UNBIND-05": "passed",
        "beta BIND-01": "passed",
        "beta SWAP-01": "failed, 1 of 2 variants",
        "beta UNBIND-05": "failed SHOULD",
        "host HOST-01": "passed",
    }


def test_filter_by_outcome_leaves_the_rows_that_have_it(open_page: Open) -> None:
    """Choosing an outcome hides the other requirements, and says how many are left."""
    page = open_page()
    page.get_by_role("checkbox", name="failed", exact=True).check(force=True)
    assert rows(page) == ["SWAP-01"]
    assert page.get_by_role("status").inner_text() == "1 of 4 requirements shown"
    page.get_by_role("checkbox", name="failed SHOULD").check(force=True)
    assert rows(page) == ["SWAP-01", "UNBIND-05"]
    page.get_by_role("button", name="Show all").click()
    page.get_by_text("4 requirements", exact=True).wait_for()
    assert rows(page) == ["BIND-01", "SWAP-01", "UNBIND-05", "HOST-01"]


def test_filters_by_level_family_provider_and_text(open_page: Open) -> None:
    """Each filter narrows the matrix; the text is looked for in what was observed too."""
    page = open_page()
    page.get_by_label("Level").select_option("SHOULD")
    assert rows(page) == ["UNBIND-05"]
    page.get_by_label("Level").select_option("")
    page.get_by_label("Family").select_option("SWAP")
    assert rows(page) == ["SWAP-01"]
    page.get_by_label("Family").select_option("")
    page.get_by_role("combobox", name="Provider").select_option("acme")
    assert page.locator("td:visible").count() == 3
    page.get_by_role("combobox", name="Provider").select_option("")
    page.get_by_label("Text").fill("420 MS missing")
    assert rows(page) == ["SWAP-01"]


def test_filter_that_nothing_meets_says_so(open_page: Open) -> None:
    """No table is left over, and the count is zero."""
    page = open_page()
    page.get_by_label("Text").fill("no such thing")
    assert page.get_by_role("grid").count() == 0
    assert page.get_by_role("status").inner_text() == "0 of 4 requirements shown"


def test_keyboard_alone_leads_to_a_timeline_and_back(open_page: Open) -> None:
    """One tab stop enters a table, arrows move, Enter opens, Escape returns to the cell."""
    page = open_page()
    page.get_by_role("button", name="Show all").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page) == "acme BIND-01"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "beta SWAP-01"
    page.keyboard.press("ArrowRight")
    assert focused(page) == "beta SWAP-01"
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="beta · SWAP-01")
    dialog.wait_for()
    assert dialog.get_by_role("img").count() == 1
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert focused(page) == "beta SWAP-01"


def test_home_and_end_move_within_a_row_and_the_table(open_page: Open) -> None:
    """Home and End go to the ends of a row, with Control to those of the table."""
    page = open_page()
    page.locator("td button").first.focus()
    page.keyboard.press("End")
    assert focused(page) == "beta BIND-01"
    page.keyboard.press("Control+End")
    assert focused(page) == "beta UNBIND-05"
    page.keyboard.press("Control+Home")
    assert focused(page) == "acme BIND-01"


def test_only_one_cell_of_a_table_is_in_the_tab_order(open_page: Open) -> None:
    """A table of any size is one tab stop, also after a filter has hidden the old one."""
    page = open_page()
    assert page.locator("td button[tabindex='0']").count() == 2
    page.get_by_role("checkbox", name="failed", exact=True).check(force=True)
    assert page.locator("td button[tabindex='0']:visible").count() == 1


def test_panel_opens_at_the_gravest_variant_and_says_everything(open_page: Open) -> None:
    """Requirement, expected, observed, fix and the command that repeats it are in the panel."""
    page = open_page()
    page.locator("td[data-subject=beta] button[data-requirement='SWAP-01']").click()
    panel = page.get_by_role("dialog")
    text = panel.inner_text()
    for part in (
        "The next segment is whole",
        "every frame once",
        "420 ms missing at 600 ms",
        "send all frames",
        "pytest --conformance 'beta::SWAP-01[b]'",
    ):
        assert part in text, part
    assert panel.get_by_role("button", pressed=True).inner_text() == "b\n: failed"


def test_other_variant_is_one_click_away(open_page: Open) -> None:
    """The buttons of the variants change what the panel shows, and the address with it."""
    page = open_page(check=SWAP)
    page.get_by_role("button", name="a : passed").click()
    assert "420 ms" not in page.get_by_role("dialog").inner_text()
    assert page.url.endswith("#check=beta%3A%3ASWAP-01%5Ba%5D")


def test_picture_has_a_lane_for_everybody_and_the_swap_and_what_went_wrong(
    open_page: Open,
) -> None:
    """Agent, wrappers, both tails, both workers, room and API; and lines for swap and fault."""
    page = open_page(check=SWAP)
    lanes = page.locator(".picture .lane-title").all_text_contents()
    assert lanes[:3] == ["Check", "Agent", "Wrappers"]
    assert {"Tail: old", "Tail: new", "Worker: old-reference", "Worker: new-reference"} <= set(
        lanes
    )
    assert {"Room", "Vendor's API"} <= set(lanes)
    assert page.locator(".picture .swap-text").all_text_contents() == ["swap to new"]
    assert page.locator(".picture .wrong-text").text_content() == "it went wrong here, 2.410 s"
    assert page.locator(".picture .bar").count() >= 8
    name = page.locator(".picture svg[role=img]").get_attribute("aria-label")
    assert "swap to new at 2.410 s. It went wrong at 2.410 s." in name


@pytest.mark.needs("livekit-agents>1.8.0")
def test_bars_are_as_long_as_what_they_stand_for(open_page: Open) -> None:
    """The audio of the new tail is as much shorter than that of the old as less of it was said."""
    page = open_page(check=SWAP)
    old, new = (
        page.locator(f".picture .bar:has(title:text-matches('^{start} s flushed'))").bounding_box()
        for start in ("1.620", "1.380")
    )
    assert new["width"] / old["width"] == pytest.approx(1.36 / 1.61, rel=0.03)


@pytest.mark.parametrize("width", [1280, 390])
def test_no_label_of_a_picture_covers_another(open_page: Open, width: int) -> None:
    """Every label has a place of its own, and none ends outside the picture."""
    page = open_page(check=SWAP, width=width)
    assert page.evaluate(OVERLAPS) == []
    outside = page.evaluate(
        """() => {
        const picture = document.querySelector('.picture svg[role=img]');
        const right = picture.getBoundingClientRect().right;
        return [...document.querySelectorAll('.picture text')]
          .filter((t) => t.getBoundingClientRect().right > right).map((t) => t.textContent); }"""
    )
    assert outside == []


def test_key_of_the_picture_is_in_one_line_where_there_is_room(open_page: Open) -> None:
    """What its signs mean is text to be read, not a column of letters."""
    key = open_page(check=SWAP).locator("ul.key li").first.bounding_box()
    assert key["height"] < 40


def test_same_events_are_there_in_words(open_page: Open) -> None:
    """Who can't see the picture reads a table of the same events."""
    page = open_page(check=SWAP)
    page.get_by_text("The same in words").click()
    table = page.get_by_role("table", name=f"Events of {SWAP}")
    assert table.get_by_role("columnheader").all_text_contents() == ["Time", "Lane", "Who", "What"]
    assert table.get_by_role("row").count() > 30
    assert "captured" in table.inner_text()


def test_passed_check_without_a_timeline_says_why(open_page: Open) -> None:
    """Where the timeline is left out the panel says so, and how to run the check."""
    page = open_page(check="acme::BIND-01")
    text = page.get_by_role("dialog").inner_text()
    assert "The timeline of this check is left out, as it passed." in text
    assert "pytest --conformance 'acme::BIND-01'" in text


def test_address_leads_to_a_check(open_page: Open) -> None:
    """A link to a check opens its panel; one to nothing opens none."""
    assert open_page(check=SWAP).get_by_role("dialog").count() == 1
    assert open_page(check="nobody::SWAP-01").get_by_role("dialog").count() == 0


def test_hostile_text_is_only_text(open_page: Open) -> None:
    """Markup in what a provider said is shown as it was said, and runs nothing."""
    page = open_page(check="beta::UNBIND-05")
    observed = page.locator(".box", has_text="Observed").locator("p")
    assert (
        observed.inner_text() == "</script><script>document.title='taken over'</script><b>bold</b>"
    )
    assert page.title() == "Avatar conformance: not passed"


@pytest.mark.parametrize("check", ["", SWAP])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(open_page: Open, scheme: str, check: str) -> None:
    """All text has the contrast that WCAG AA asks for, in light and in dark."""
    assert open_page(check=check, color_scheme=scheme).evaluate(CONTRAST) == []


def test_dark_scheme_is_dark(open_page: Open) -> None:
    """The page follows what the reader's system prefers."""
    colours = [
        open_page(color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colours == ["rgb(245, 246, 248)", "rgb(18, 21, 27)"]


@pytest.mark.parametrize("check", ["", SWAP])
def test_phone_does_not_scroll_sideways(open_page: Open, check: str) -> None:
    """At 390 px only the matrix and the picture scroll sideways, in themselves."""
    page = open_page(check=check, width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    if check:
        assert page.evaluate("panel.scrollWidth <= panel.clientWidth")


def test_heads_stay_in_sight(open_page: Open) -> None:
    """Scrolled to its end, the matrix still shows whose column and which row it is."""
    page = open_page(width=390, height=844)
    boxes = page.evaluate(
        """() => { const scroll = document.querySelector('.scroll');
        scroll.style.maxHeight = '9rem'; scroll.style.width = '14rem';
        scroll.scrollTo(999, 999);
        const top = scroll.getBoundingClientRect();
        const head = scroll.querySelector('thead th[data-subject=beta]').getBoundingClientRect();
        const row = [...scroll.querySelectorAll('th[scope=row]')].pop().getBoundingClientRect();
        return [scroll.scrollTop > 0, scroll.scrollLeft > 0,
          head.top - top.top, row.left - top.left]; }"""
    )
    assert boxes == [True, True, 1, 1]


def test_everything_that_can_be_used_has_a_role_and_a_name(open_page: Open) -> None:
    """Buttons, fields, tables, regions and pictures are named; heads of the tables have a scope."""
    page = open_page(check=SWAP)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll(
          'button, input, select, a, summary, [role=grid], [role=region], [role=img], dialog, ' +
          'fieldset')].filter((e) => {
            const by = (e.getAttribute('aria-labelledby') || '').split(' ')
              .map((id) => document.getElementById(id)?.textContent || '').join('');
            const label = [...(e.labels || [])].map((l) => l.textContent).join('');
            const legend = e.querySelector(':scope > legend')?.textContent || '';
            const own = ['BUTTON', 'A', 'SUMMARY'].includes(e.tagName) ? e.textContent : '';
            return ![e.getAttribute('aria-label'), by, label, legend, own].join('').trim();
          }).map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("html").get_attribute("lang") == "en"
    page.keyboard.press("Escape")
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.get_by_role("main").count() == 1


def test_focus_goes_in_the_order_of_the_page_and_can_be_seen(open_page: Open) -> None:
    """The tab key visits what can be used from top to bottom, with an outline at each stop."""
    page = open_page()
    stops: list[tuple[float, bool]] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        top, outline, name = page.evaluate(
            """() => { const e = document.activeElement; const chip = e.closest('.chip') || e;
            return [chip.getBoundingClientRect().top + scrollY,
              getComputedStyle(chip).outlineStyle !== 'none', e.tagName]; }"""
        )
        if name == "BODY":
            break
        stops.append((top, outline))
    assert len(stops) >= 10
    assert all(seen for _, seen in stops)
    # things on one line differ by some pixels
    assert all(after > before - 25 for (before, _), (after, _) in pairwise(stops))


def test_without_a_script_the_matrix_is_whole(open_page: Open) -> None:
    """Where scripts are turned off the page still tells the outcomes, and what is missing."""
    page = open_page(java_script_enabled=False)
    assert page.get_by_text("Filters and the panels with timelines need JavaScript").count() == 1
    assert page.locator("td .unseen", has_text="failed, 1 of 2 variants").count() == 1
    assert page.get_by_text("failed: A MUST does not hold.").count() == 1


def test_print_shows_the_whole_matrix(open_page: Open) -> None:
    """On paper nothing is cut off or stuck, and the colours are the light ones."""
    page = open_page(color_scheme="dark", height=400)
    page.emulate_media(media="print", color_scheme="dark")
    found = page.evaluate(
        """() => [getComputedStyle(document.querySelector('.scroll')).overflowY,
        getComputedStyle(document.querySelector('thead th')).position,
        getComputedStyle(document.body).backgroundColor,
        getComputedStyle(document.getElementById('filter')).display]"""
    )
    assert found == ["visible", "static", "rgb(255, 255, 255)", "none"]
