//! One error ratio: two counters where it is their quotient, so that the budget weighs events; else as it is.

use super::draft::{Side, Sli, Text, texts};
use super::lift::{self, Counters};
use super::query::{complement, split, unwrapped};
use super::report::Report;
use super::target::Target;
use crate::promql::lexer::{Kind, lex};

/// The SLI of a ratio of bad events, or of good ones when `success`.
pub(super) fn sli(service: &str, ratio: &Text, success: bool, report: &mut Report<'_, '_>) -> (Sli, Vec<Text>) {
    let whole = unwrapped(&ratio.text);
    let (rest, good) = complement(whole).map_or((whole, success), |rest| (rest, !success));
    let counts = |text: &str| lex(text).is_ok_and(|all| all.iter().any(|it| it.kind == Kind::Window));
    if let Some((part, total)) = split(rest, "/").filter(|(part, total)| counts(part) && counts(total)) {
        let side = if good { Side::Good } else { Side::Errors };
        let text = |it: &str| Text::new(unwrapped(it), ratio.range);
        return lift::sli(service, Counters { side, part: text(part), total: text(total) }, report);
    }
    let (share, text) = if good { ("good", rest) } else { ("error", rest) };
    (Sli::Other(Target::Ratio, texts(ratio.range, &[(share, Text::new(text, ratio.range))])), Vec::new())
}
