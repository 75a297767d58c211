//! Evidence: the attempts behind what is said of an outage, by slot and region.
//!
//! Where one region is enough to say it, they are kept with the incident that they open. Where several decide, the
//! first failing check of one of them may be told only when another has reported; until then it waits in `onsets`.

use gazer_domain::Timestamp;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::incident::Trouble;
use gazer_domain::observation::Attempt;
use gazer_domain::verdict::Verdict;

use crate::incidents::cause;
use crate::sql::args;
use crate::{OpenIncident, Result, Tx, Watch};

/// A long outage has thousands of failing checks, alike but for their time: of each region its first and its last ones
/// are kept.
const EVIDENCE_ENDS: u32 = 10;

/// How the trouble of one track began.
#[derive(Debug)]
pub(super) struct Onset {
    region_key: i64,
    verdict: Verdict,
    slot: Timestamp,
    pub(super) cause: Cause,
    attempts: String,
}

impl Tx {
    /// When evidence of that region was last kept with the open incident, and of which cause.
    pub async fn proved(&mut self, watch: &Watch, track: usize) -> Result<Option<(Timestamp, Code)>> {
        let Some(open) = &watch.open else { return Ok(None) };
        if watch.tracks.len() == 1 {
            return Ok(open.proved);
        }
        let region = watch.tracks[track].region_key;
        let sql = "select slot, code from evidence where incident = $1 and region = $2 order by slot desc limit 1";
        let Some(row) = self.conn().row(sql, args![open.key, region]).await? else { return Ok(None) };
        let code = row.opt_text("code")?.and_then(|code| Code::parse(&code));
        code.map(|code| row.time("slot").map(|slot| (slot, code))).transpose()
    }

    /// Keeps the attempts with the open incident; without one there is nothing to prove.
    pub async fn evidence_add(
        &mut self,
        watch: &mut Watch,
        track: usize,
        slot: Timestamp,
        code: Code,
        attempts: &[Attempt],
    ) -> Result<()> {
        let Some(open) = &mut watch.open else { return Ok(()) };
        if attempts.is_empty() {
            return Ok(());
        }
        open.proved = Some((slot, code));
        let (incident, region) = (open.key, watch.tracks[track].region_key);
        let sql = "update incidents set proved_at = $2, proved_code = $3 where key = $1";
        self.conn().run(sql, args![incident, slot, code.as_str()]).await?;
        self.evidence_put(incident, slot, region, code, &gazer_wire::attempt::to_json(attempts)).await?;
        let sql = "delete from evidence where incident = $1 and region = $3
            and slot not in (select slot from evidence where incident = $1 and region = $3 order by slot limit $2)
            and slot not in (select slot from evidence where incident = $1 and region = $3 order by slot desc limit $2)";
        self.conn().run(sql, args![incident, EVIDENCE_ENDS, region]).await.map(drop)
    }

    async fn evidence_put(
        &mut self,
        incident: i64,
        slot: Timestamp,
        region: i64,
        code: Code,
        attempts: &str,
    ) -> Result<()> {
        let sql = "insert into evidence (incident, slot, region, code, attempts) values ($1, $2, $3, $4, $5)
            on conflict (incident, slot, region) do nothing";
        self.conn().run(sql, args![incident, slot, region, code.as_str(), attempts]).await.map(drop)
    }

    /// Writes down how trouble began in one of several regions. Where there is one, it is told at once.
    pub async fn onset_put(
        &mut self,
        watch: &Watch,
        track: usize,
        slot: Timestamp,
        cause: &Cause,
        attempts: &[Attempt],
    ) -> Result<()> {
        if watch.tracks.len() == 1 {
            return Ok(());
        }
        let sql = "insert into onsets (track, slot, cause_code, cause_text, attempts) values ($1, $2, $3, $4, $5)
            on conflict (track) do update set slot = excluded.slot, cause_code = excluded.cause_code,
                cause_text = excluded.cause_text, attempts = excluded.attempts";
        let attempts = gazer_wire::attempt::to_json(attempts);
        let args = args![watch.tracks[track].key, slot, cause.code.as_str(), cause.text.as_str(), attempts];
        self.conn().run(sql, args).await.map(drop)
    }

    /// How the present trouble began in those of several regions that have it.
    pub(super) async fn onsets(&mut self, watch: &Watch) -> Result<Vec<Onset>> {
        let mut onsets = Vec::new();
        if watch.tracks.len() == 1 {
            return Ok(onsets);
        }
        for (track, health) in watch.troubled() {
            let sql =
                "select track, slot, cause_code, cause_text, attempts from onsets where track = $1 and slot >= $2";
            let Some(row) = self.conn().row(sql, args![track.key, health.since]).await? else { continue };
            onsets.push(Onset {
                region_key: track.region_key,
                verdict: health.status,
                slot: row.time("slot")?,
                cause: cause(&row)?,
                attempts: row.text("attempts")?,
            });
        }
        Ok(onsets)
    }

    /// What began before its incident is proved by it all the same.
    pub(super) async fn onsets_prove(&mut self, open: &OpenIncident, onsets: &[Onset]) -> Result<()> {
        for Onset { region_key, slot, cause, attempts, .. } in onsets {
            if attempts != "[]" {
                self.evidence_put(open.key, *slot, *region_key, cause.code, attempts).await?;
            }
        }
        Ok(())
    }
}

/// The cause of a trouble that this check confirms and another brought: the newest of those that have it.
pub(super) fn brought(onsets: &[Onset], trouble: Trouble) -> Option<&Cause> {
    let verdict = match trouble {
        Trouble::Slow => Verdict::Slow,
        Trouble::Regional | Trouble::Down => Verdict::Down,
    };
    let those = onsets.iter().filter(|onset| onset.verdict == verdict);
    those.max_by_key(|onset| onset.slot).map(|onset| &onset.cause)
}
