//! Every story runs on SQLite and on PostgreSQL, each in a fresh database.

mod alerts;
mod cadences;
mod claims;
mod dead;
mod expiry;
mod history;
mod incidents;
mod isolation;
mod issues;
mod judging;
mod leases;
mod monitors;
mod operator;
mod people;
mod regions;
mod requests;
mod set_back;
mod sight;

/// Instantiates each story once per engine.
macro_rules! stories {
    ($($file:ident: $($story:ident),+;)+) => {
        mod sqlite {
            $($(
                #[tokio::test]
                async fn $story() {
                    super::$file::$story(crate::world::World::sqlite().await).await;
                }
            )+)+
        }
        mod postgres {
            $($(
                #[tokio::test]
                async fn $story() {
                    super::$file::$story(crate::world::World::postgres().await).await;
                }
            )+)+
        }
    };
}

stories! {
    people: the_first_owner_is_made_once, a_team_is_founded_with_its_owner_or_not_at_all, the_owner_of_the_first_team_is_the_operator, addresses_are_compared_without_case, a_new_password_ends_sessions,
        sessions_expire, tokens_act_for_their_team, settings_are_sealed,
        another_key_is_refused;
    monitors: a_monitor_comes_back_as_it_was_written, lists_are_read_a_page_at_a_time, a_search_is_plain_text,
        an_edit_makes_a_new_revision, the_plan_hears_of_every_change, the_plan_knows_what_keeps_others_waiting,
        pause_and_resume_are_idempotent;
    alerts: channels_and_rules_come_back_as_they_were_written, a_rule_names_only_what_the_team_has,
        a_deleted_channel_leaves_its_rules;
    judging: an_outage_is_told_and_ended, what_was_seen_late_is_told_as_of_then,
        what_begins_after_a_late_end_begins_then, the_same_batch_twice_changes_nothing,
        a_dropped_transaction_leaves_nothing, two_judges_take_turns, slow_grows_into_down, evidence_keeps_both_ends, the_audit_finds_who_is_overdue;
    incidents: a_pause_ends_the_incident_and_tells, a_deletion_tells_before_it_purges,
        incidents_are_listed_newest_first, a_rule_that_waits_fires_only_while_it_lasts, what_waits_is_not_told_on_old_news,
        while_we_are_blind_nothing_fires, a_rule_that_was_narrowed_fires_no_more, a_promise_to_tell_the_end_is_kept;
    claims: an_old_epoch_is_fenced_out, receipts_that_come_together_are_written_together,
        leases_end_where_their_messages_were_lost, a_recovery_waits_for_its_start, a_start_that_waits_is_merged,
        a_dead_start_is_not_recovered, a_test_goes_to_its_channel, claimants_share_without_overlap, a_busy_channel_waits_for_itself,
        what_waits_for_a_channel_goes_once_it_takes_something, a_planned_try_is_put_off_where_the_service_asks_for_it,
        a_planned_try_does_not_rest, a_channel_that_is_back_is_not_stormed,
        graver_news_does_not_wait_behind_older, a_start_that_dies_is_merged_into_its_end,
        any_interleaving_settles_each_claim_once;
    history: checks_are_found_by_their_slots, sparklines_end_now, lateness_counts_what_was_missed,
        periods_are_the_sum_of_changes;
    dead: the_dead_are_listed_newest_first, what_was_given_up_is_sent_again_under_its_id,
        a_start_that_is_sent_again_brings_its_end, a_start_that_dies_once_more_is_merged_into_its_end,
        nothing_is_sent_behind_later_news, a_mended_channel_gets_all_it_missed, presses_and_judges_take_turns;
    requests: a_request_is_handed_out_once;
    expiry: what_is_old_goes;
    leases: a_lease_is_one_holders_until_it_ends, of_many_who_ask_one_has_it,
        whoever_has_a_lease_hears_that_another_waits_and_leaves_word;
    set_back: an_hour_that_never_was_keeps_nobody_waiting, time_that_nobody_saw_does_not_count_either,
        a_monitor_that_changed_often_in_that_hour_has_the_last_of_its_cadences;
    cadences: a_new_grid_moves_slots_from_now_on, a_monitor_of_a_grid_stays_on_it;
    regions: a_majority_of_three_makes_it_down, one_of_three_is_regional_and_has_a_trigger_of_its_own,
        what_was_seen_before_the_quorum_is_kept_as_evidence, a_region_that_falls_silent_lapses,
        a_region_that_stays_silent_keeps_the_audit_from_nobody, an_edit_of_regions_begins_and_ends_tracks, the_removal_of_the_region_in_which_it_is_down_ends_it,
        a_duplicate_from_one_region_changes_nothing, a_regional_outage_that_lasts_is_told_by_a_rule_that_waits,
        each_region_has_its_own_history, the_first_region_of_a_database_is_the_one_it_begins_with,
        a_region_that_is_made_twice_is_one;
    sight: an_episode_is_kept_until_it_is_told, a_region_has_its_own_episodes,
        when_witnesses_answered_outlives_a_look, checks_that_do_not_come_are_counted;
    operator: the_operator_counts_over_all_teams;
    issues: reports_are_folded_into_their_issue, issues_are_listed_by_state_last_seen_first,
        news_of_an_issue_is_told_on_each_way_until_it_is_taken, what_was_resolved_and_is_back_is_told_again,
        repeats_are_one_digest_a_day,
        of_too_many_at_once_the_rest_is_for_the_digest, issues_that_are_mended_or_forgotten_expire,
        of_two_who_report_the_same_one_begins_it;
    isolation: another_teams_ids_look_like_none;
}
