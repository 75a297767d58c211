//! `gazer issues`: errors of Gazer itself, for whoever runs it.

use std::process::ExitCode;

use gazer_bus::clock::system_now;
use gazer_domain::IssueId;
use gazer_domain::issue::{Act, Issue, Occurrence, State};
use gazer_store::{IssueStory, Page, Store};
use serde_json::{Value, json};

use super::{Failure, IssuesCommand, IssuesFlags, IssuesListFlags, say};
use crate::config::Place;
use crate::place::open_beside;

const ISSUE: &str = "<ISSUE>";
/// Of a list.
const MOST: u32 = 100;

pub(crate) async fn run(flags: IssuesFlags) -> Result<ExitCode, Failure> {
    let (place, id, wanted) = match flags.command {
        None => return list(flags.list).await,
        Some(IssuesCommand::List(flags)) => return list(flags).await,
        Some(IssuesCommand::Show { place, json, id }) => (place, id, Wanted::Show { json }),
        Some(IssuesCommand::Resolve { place, id }) => (place, id, Wanted::Act(Act::Resolve)),
        Some(IssuesCommand::Ignore { place, id }) => (place, id, Wanted::Act(Act::Ignore)),
        Some(IssuesCommand::Reopen { place, id }) => (place, id, Wanted::Act(Act::Reopen)),
    };
    let store = open_beside(&Place::resolve(place)?).await?;
    let done = do_one(&store, id, wanted).await;
    store.close().await;
    done?;
    Ok(ExitCode::SUCCESS)
}

/// What is wanted of one issue.
enum Wanted {
    Show { json: bool },
    Act(Act),
}

async fn list(flags: IssuesListFlags) -> Result<ExitCode, Failure> {
    let store = open_beside(&Place::resolve(flags.place)?).await?;
    let listed = store.issue_list(flags.state.as_deref(), &Page::first(MOST)).await;
    store.close().await;
    let issues = listed?.rows;
    if flags.json {
        say(&json!({"issues": issues.iter().map(object).collect::<Vec<_>>()}).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    issues.iter().for_each(|issue| say(&line(issue)));
    Ok(ExitCode::SUCCESS)
}

async fn do_one(store: &Store, id: IssueId, wanted: Wanted) -> Result<(), Failure> {
    let absent = || Failure::usage(ISSUE, format!("there is no issue {id}; `gazer issues` lists them"));
    match wanted {
        Wanted::Show { json } => {
            let story = store.issue_get(id).await?.ok_or_else(absent)?;
            if json { say(&whole(&story).to_string()) } else { show(&story) }
        }
        Wanted::Act(act) => {
            store.issue_act(id, act, system_now()).await?.ok_or_else(absent)?;
        }
    }
    Ok(())
}

fn line(issue: &Issue) -> String {
    let Issue { id, function, message, last_seen, count, state, .. } = issue;
    format!("{id}  {:8}  {}  {count:>6}×  {function}: {message}", state.as_str(), last_seen.rfc3339())
}

fn show(IssueStory { issue, occurrences }: &IssueStory) {
    let Issue { id, fingerprint, function, message, first_version, last_version, first_seen, last_seen, count, state } =
        issue;
    say(&format!("{id}: {}\n\n{function}: {message}\n", state.as_str()));
    say(&format!("First seen   {} in {first_version}", first_seen.rfc3339()));
    say(&format!("Last seen    {} in {last_version}", last_seen.rfc3339()));
    say(&format!("Times        {count}"));
    say(&format!("Fingerprint  {fingerprint}\n"));
    for Occurrence { at, message, version, count, region } in occurrences {
        say(&format!("{}  {count:>4}×  {version} in {region}  {message}", at.rfc3339()));
    }
}

fn object(issue: &Issue) -> Value {
    let resolved = match issue.state {
        State::Resolved { at } => Some(at.rfc3339()),
        State::Open | State::Ignored => None,
    };
    json!({
        "id": issue.id.to_string(),
        "state": issue.state.as_str(),
        "function": issue.function,
        "message": issue.message,
        "count": issue.count,
        "first_seen_at": issue.first_seen.rfc3339(),
        "first_version": issue.first_version,
        "last_seen_at": issue.last_seen.rfc3339(),
        "last_version": issue.last_version,
        "resolved_at": resolved,
        "fingerprint": issue.fingerprint.to_string(),
    })
}

fn whole(story: &IssueStory) -> Value {
    let mut whole = object(&story.issue);
    let occurrence = |one: &Occurrence| {
        json!({
            "at": one.at.rfc3339(),
            "message": one.message,
            "count": one.count,
            "version": one.version,
            "region": one.region.as_str(),
        })
    };
    whole["occurrences"] = story.occurrences.iter().map(occurrence).collect();
    whole
}
