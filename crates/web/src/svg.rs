//! Charts, drawn on the server as SVG.
//!
//! Drawings stretch with their box (`preserveAspectRatio="none"`), so they hold shapes only; the words around them are
//! HTML, and stay legible on a phone. Colours are classes of the style sheet, so a chart is light or dark as the page.

pub(crate) mod days;
pub(crate) mod response;
pub(crate) mod sparkline;
pub(crate) mod waterfall;
