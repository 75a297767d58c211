//! Two bills for people: a table with the bar of each line of our design, sums, and what all of it rests on.
//!
//! As with `gazer check`, the text always carries its colours; whoever prints it takes them off where no terminal shows
//! them.

use std::fmt::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use gazer_domain::time::humane_duration;

use super::Reckoning;
use super::bill::{Bill, Line, Part, Unit};
use super::design::{Case, SENT_BYTES};
use super::prices::{DATE, REGION};

/// Columns of the longest bar; a whole line stays below 80.
const BAR: f64 = 12.0;
/// Widths of the columns: what it is, how much of it, dollars of one design.
const NAME: usize = 22;
const QUANTITY: usize = 20;
const USD: usize = 11;

const TAKES: &str = "a String takes whatever is written to it";

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const WORK: Style = AnsiColor::Cyan.on_default();
const FIXED: Style = AnsiColor::BrightBlack.on_default();

pub(crate) fn page(reckoning: &Reckoning) -> String {
    let mut out = String::new();
    let Reckoning { case, bills, .. } = reckoning;
    write_head(&mut out, case).expect(TAKES);
    write_lines(&mut out, bills).expect(TAKES);
    write_sums(&mut out, bills).expect(TAKES);
    write_foot(&mut out, reckoning).expect(TAKES);
    out
}

fn write_head(out: &mut String, case: &Case) -> fmt::Result {
    let regions = if case.regions == 1.0 { "1 region".to_owned() } else { format!("{} regions", case.regions) };
    writeln!(
        out,
        "{BOLD}{} checks a day{BOLD:#}{DIM}: {} {} every {} from {regions}{DIM:#}\n",
        grouped(case.checks_per_day()),
        grouped(case.monitors),
        if case.monitors == 1.0 { "monitor" } else { "monitors" },
        humane_duration(case.interval),
    )?;
    let (head, bar) = (format!("{:<NAME$}{:>QUANTITY$}{:>USD$}", "US dollars a month", "", "in batches"), BAR as usize);
    writeln!(out, "{DIM}{head}  {:<bar$}{:>USD$}{DIM:#}", "", "one by one")
}

fn write_lines(out: &mut String, [ours, naive]: &[Bill; 2]) -> fmt::Result {
    let largest = ours.lines.iter().map(|line| line.usd).fold(0.0, f64::max);
    for part in [Part::Work, Part::Fixed] {
        for (line, other) in ours.lines.iter().zip(&naive.lines).filter(|(line, _)| line.part == part) {
            if line.usd != 0.0 || other.usd != 0.0 {
                write_line(out, line, other, largest)?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_line(out: &mut String, line: &Line, other: &Line, largest: f64) -> fmt::Result {
    let style = if line.part == Part::Work { WORK } else { FIXED };
    let (quantity, bar) = (quantity(line), bar(line.usd / largest));
    let left = " ".repeat(BAR as usize - bar.chars().count());
    write!(out, "{:<NAME$}{DIM}{quantity:>QUANTITY$}{DIM:#}{:>USD$}", line.name, usd(line.usd))?;
    writeln!(out, "  {style}{bar}{style:#}{left}{:>USD$}", usd(other.usd))
}

fn write_sums(out: &mut String, bills: &[Bill; 2]) -> fmt::Result {
    let cents = |sum: fn(&Bill) -> f64| bills.each_ref().map(|bill| usd(sum(bill)));
    let fine = |sum: fn(&Bill) -> f64| bills.each_ref().map(|bill| grouped_to(sum(bill), 3));
    write_sum(out, "a month, database and endpoint aside", cents(Bill::work_usd))?;
    write_sum(out, "database and endpoint", cents(Bill::fixed_usd))?;
    write_sum(out, "a month", cents(Bill::total_usd))?;
    writeln!(out)?;
    write_sum(out, "a million checks, on average *", fine(Bill::average_million_usd))?;
    write_sum(out, "the next million checks *", fine(|bill| bill.next_million_usd))
}

fn write_sum(out: &mut String, name: &str, [ours, naive]: [String; 2]) -> fmt::Result {
    let (wide, gap) = (NAME + QUANTITY, BAR as usize + 2);
    writeln!(out, "{name:<wide$}{BOLD}{ours:>USD$}{BOLD:#}{:gap$}{naive:>USD$}", "")
}

fn write_foot(out: &mut String, reckoning: &Reckoning) -> fmt::Result {
    let Reckoning { case, terms, verified, .. } = reckoning;
    writeln!(
        out,
        "\n{DIM}* Database and endpoint aside. The next ones are those of a tenth more monitors.\n\
         Assumed until measured: the clock comes on the minute, plan is up {} of it;\n\
         a batch of {} takes {}, one of troubled monitors ({} %) {}, judge {},\n\
         a check alone {}; {} KB leave for each check.",
        seconds(Duration::from_secs_f64(case.plan_seconds())),
        case.batch,
        seconds(case.batch_duration),
        (case.troubled * 1e4).round() / 100.0,
        seconds(case.troubled_duration),
        seconds(case.judge_duration),
        seconds(case.check_duration),
        SENT_BYTES / 1e3,
    )?;
    if verified.more_usd > 0.0 {
        let (took, more) = (seconds(verified.duration), usd(verified.more_usd));
        writeln!(out, "Troubled batches that run into all timeouts of a check and its verification")?;
        writeln!(out, "take {took}. If each of them did, a month would cost {more} more.")?;
    }
    writeln!(
        out,
        "Prices: AWS, {REGION}, as known on {DATE}, {}, first tier, without tax.{DIM:#}",
        terms.processor.as_str()
    )
}

/// In eighths of a column; what costs anything is seen.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if share <= 0.0 {
        return String::new();
    }
    let eighths = (share.min(1.0) * BAR * 8.0).round().max(1.0) as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn quantity(line: &Line) -> String {
    let unit = match line.unit {
        Unit::Requests => "requests",
        Unit::GbSeconds => "GB-s",
        Unit::Publishes => "publishes",
        Unit::Invocations => "starts",
        Unit::Gb => "GB",
        Unit::Alarms => "alarms",
        Unit::Hours => "h",
        Unit::GibMonths => "GiB",
        Unit::Usd => return String::new(),
    };
    format!("{} {unit}", amount(line.quantity))
}

fn amount(quantity: f64) -> String {
    match quantity {
        ..10.0 if quantity.fract() != 0.0 => format!("{quantity:.2}"),
        ..100.0 if quantity.fract() != 0.0 => format!("{quantity:.1}"),
        1e9.. => format!("{} bn", grouped_to(quantity / 1e9, 2)),
        1e6.. => format!("{} M", grouped_to(quantity / 1e6, 2)),
        _ => grouped(quantity),
    }
}

/// Cents; what is less than half of one is still not nothing.
fn usd(usd: f64) -> String {
    if usd > 0.0 && usd < 0.005 { "<0.01".to_owned() } else { grouped_to(usd, 2) }
}

fn grouped(whole: f64) -> String {
    grouped_to(whole, 0)
}

/// `1,234,567.89`.
fn grouped_to(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let whole = text.split('.').next().unwrap_or_default().trim_start_matches('-').len();
    let begin = usize::from(number < 0.0);
    let mut grouped = String::new();
    for (i, c) in text.chars().enumerate() {
        let left = (begin + whole).saturating_sub(i);
        if i > begin && left > 0 && left.is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped
}

fn seconds(length: Duration) -> String {
    format!("{} s", length.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, decimals, expected) in [
            (0.0, 0, "0"),
            (999.0, 0, "999"),
            (1_000.0, 0, "1,000"),
            (1_234_567.891, 2, "1,234,567.89"),
            (-6.667, 2, "-6.67"),
            (-1_234.5, 1, "-1,234.5"),
        ] {
            assert_eq!(grouped_to(number, decimals), expected);
        }
    }

    #[test]
    fn what_costs_anything_is_seen() {
        assert_eq!((usd(0.0), usd(0.004), usd(0.006)), ("0.00".into(), "<0.01".into(), "0.01".into()));
        assert_eq!((bar(0.0), bar(-1.0), bar(1e-9)), (String::new(), String::new(), "▏".into()));
        assert_eq!((bar(0.5), bar(1.0)), ("██████".into(), "████████████".into()));
    }
}
