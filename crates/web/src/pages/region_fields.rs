//! Where a monitor is checked from, in its form. Nothing of it is asked where there is one region: what was chosen
//! stays.

use gazer_domain::monitor::Settings;
use gazer_domain::{Invalid, Quorum, Region};
use maud::{Markup, html};

use crate::ui::form::Form;

const QUORUM: &str = "quorum";
const REGIONS: &str = "regions";

pub(super) fn fill(form: &mut Form, settings: &Settings) {
    form.set(QUORUM, settings.quorum.to_string());
    settings.regions.iter().for_each(|region| form.set(REGIONS, region.to_string()));
}

/// `kept` is what the monitor had before.
pub(super) fn read(form: &Form, kept: Option<&Settings>, wrong: &mut Vec<Invalid>) -> (Vec<Region>, Quorum) {
    if form.value(QUORUM).is_empty() {
        return kept.map_or_else(Default::default, |kept| (kept.regions.clone(), kept.quorum));
    }
    let quorum = form.value(QUORUM).parse().unwrap_or_else(|refused| {
        wrong.push(refused);
        Quorum::default()
    });
    let named = form.all(REGIONS).map(|name| name.parse::<Region>()).collect::<Result<Vec<_>, _>>();
    let mut regions = named.unwrap_or_else(|refused| {
        wrong.push(Invalid::new(REGIONS, refused.message));
        Vec::new()
    });
    regions.sort_unstable();
    regions.dedup();
    (regions, quorum)
}

/// A region that went while the form was open is told beside all of them.
pub(super) fn told(refused: Invalid) -> Invalid {
    if refused.field.starts_with(REGIONS) { Invalid { field: REGIONS.into(), ..refused } } else { refused }
}

pub(super) fn fields(form: &Form, there: &[Region]) -> Markup {
    let ticks: Vec<(String, Markup)> = there.iter().map(|region| (region.to_string(), html! { (region) })).collect();
    let numbers: Vec<(String, String)> = numbers(form, there.len());
    let mut options =
        vec![("any", "any of them says so"), ("majority", "most of them say so"), ("all", "all of them say so")];
    options.extend(numbers.iter().map(|(value, label)| (value.as_str(), label.as_str())));
    html! {
        @if there.len() > 1 {
            (form.ticks(REGIONS, "Check from", "None ticked: from every region, also one that is yet to come.", &ticks))
            (form.select(QUORUM, "It is down if", "Of the regions that report. If fewer say so, it is regional.", &options))
        }
    }
}

/// From two on, since one is any; and the one that was chosen, though there are not so many regions any more.
fn numbers(form: &Form, there: usize) -> Vec<(String, String)> {
    let chosen = form.value(QUORUM).parse::<usize>().ok();
    let wanted = (1..=gazer_domain::region::MOST_REGIONS)
        .filter(|number| (2..=there).contains(number) || chosen == Some(*number));
    wanted.map(|number| (number.to_string(), format!("{number} of them say so"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn regions_survive_the_form_and_are_kept_where_nobody_is_asked() {
        let regions: Vec<Region> = ["fra", "nyc"].iter().map(|name| name.parse().unwrap()).collect();
        let settings = Settings { regions: regions.clone(), quorum: Quorum::AtLeast(3), ..samples::settings() };
        let mut form = Form::default();
        fill(&mut form, &settings);
        let mut wrong = Vec::new();
        assert_eq!(read(&form, None, &mut wrong), (regions.clone(), Quorum::AtLeast(3)));
        assert_eq!(read(&Form::default(), Some(&settings), &mut wrong), (regions.clone(), Quorum::AtLeast(3)));
        assert_eq!(read(&Form::default(), None, &mut wrong), (Vec::new(), Quorum::Majority));
        assert_eq!(wrong, []);
        let html = fields(&form, &regions).into_string();
        assert!(html.contains(r#"value="nyc" checked"#) && html.contains("3 of them say so"), "{html}");
        assert_eq!(fields(&form, &regions[..1]).into_string(), "");
    }
}
