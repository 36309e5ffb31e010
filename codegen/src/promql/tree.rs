//! An expression as it is written: every part knows its place. The parser that accepts or refuses knows none.

use crate::yaml::Range;

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// What it is.
    pub part: Part,
    /// Where it stands, brackets and modifiers included.
    pub range: Range,
    /// The word that names it: a metric, a function, an operator.
    pub head: Range,
}

/// What a part of an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A selector of series; the metric is empty when only matchers name it.
    Selector {
        /// Its metric.
        metric: String,
        /// Its matchers, without the one that names the metric.
        matchers: Vec<Match>,
        /// The braces, when there are any.
        braces: Option<Range>,
    },
    /// What stands before a range or a subquery.
    Ranged {
        /// The series, or for a subquery any expression.
        of: Box<Tree>,
        /// Length of the range in seconds; `None` for `$window`.
        length: Option<f64>,
        /// The step of a subquery: `None` for a range, `Some(None)` for the default.
        step: Option<Option<f64>>,
        /// The square brackets.
        brackets: Range,
    },
    /// At another time: `offset` or `@`.
    Shifted(Box<Tree>),
    /// A function.
    Call {
        /// Its name.
        name: String,
        /// What it is given.
        args: Vec<Tree>,
    },
    /// An aggregation.
    Aggregation {
        /// Its name, in lower case.
        name: String,
        /// `by` or `without`.
        grouping: Option<Labels>,
        /// What it is given.
        args: Vec<Tree>,
    },
    /// Two sides of an operator.
    Binary {
        /// The operator, in lower case.
        sign: String,
        /// Whether it says 0 or 1.
        bool: bool,
        /// `on` or `ignoring`.
        matching: Option<Labels>,
        /// `group_left` or `group_right`.
        group: Option<Labels>,
        /// Left and right.
        sides: Box<[Tree; 2]>,
    },
    /// With a sign before it.
    Signed(Box<Tree>),
    /// In round brackets.
    Brackets(Box<Tree>),
}

/// Labels behind a keyword such as `by`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The keyword, in lower case.
    pub keyword: String,
    /// The labels with their places.
    pub names: Vec<(String, Range)>,
    /// The keyword and its brackets.
    pub range: Range,
}

/// A matcher of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The label.
    pub label: String,
    /// `=`, `!=`, `=~` or `!~`.
    pub sign: String,
    /// Its value, without quotes and escapes.
    pub value: String,
    /// Label, sign and value.
    pub range: Range,
    /// The sign.
    pub sign_at: Range,
    /// The value with its quotes.
    pub value_at: Range,
}

/// The labels of what an expression gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// These at most.
    Only(Vec<String>),
    /// Any but these.
    Not(Vec<String>),
}

impl Kept {
    /// Whether a label can be there.
    pub fn has(&self, label: &str) -> bool {
        match self {
            Self::Only(all) => all.iter().any(|it| it == label),
            Self::Not(all) => all.iter().all(|it| it != label),
        }
    }

    fn and(self, label: &str) -> Self {
        match self {
            Self::Only(mut all) => {
                all.push(label.to_owned());
                Self::Only(all)
            }
            Self::Not(mut all) => {
                all.retain(|it| it != label);
                Self::Not(all)
            }
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Only(mut one), Self::Only(other)) => {
                one.extend(other);
                Self::Only(one)
            }
            (Self::Not(all), Self::Only(has)) | (Self::Only(has), Self::Not(all)) => {
                Self::Not(all.into_iter().filter(|it| !has.contains(it)).collect())
            }
            (Self::Not(one), Self::Not(other)) => Self::Not(one.into_iter().filter(|it| other.contains(it)).collect()),
        }
    }

    fn without(self, labels: &[(String, Range)]) -> Self {
        let gone = |it: &String| labels.iter().any(|(label, _)| label == it);
        match self {
            Self::Only(all) => Self::Only(all.into_iter().filter(|it| !gone(it)).collect()),
            Self::Not(mut all) => {
                all.extend(labels.iter().map(|(label, _)| label.clone()));
                Self::Not(all)
            }
        }
    }
}

impl Tree {
    /// The parts that it is made of.
    pub fn children(&self) -> Vec<&Self> {
        match &self.part {
            Part::Number(_) | Part::Text(_) | Part::Selector { .. } => Vec::new(),
            Part::Ranged { of, .. } | Part::Shifted(of) | Part::Signed(of) | Part::Brackets(of) => vec![of],
            Part::Call { args, .. } | Part::Aggregation { args, .. } => args.iter().collect(),
            Part::Binary { sides, .. } => sides.iter().collect(),
        }
    }

    /// It and everything below it; a part stands before those that it is made of.
    pub fn all(&self) -> Vec<&Self> {
        let (mut all, mut open) = (Vec::new(), vec![self]);
        while let Some(it) = open.pop() {
            all.push(it);
            open.extend(it.children().into_iter().rev());
        }
        all
    }

    /// Calls `f` with every part and what stands above it, the nearest last.
    pub fn visit<'a>(&'a self, above: &mut Vec<&'a Self>, f: &mut dyn FnMut(&'a Self, &[&'a Self])) {
        f(self, above);
        above.push(self);
        self.children().into_iter().for_each(|it| it.visit(above, f));
        above.pop();
    }

    /// The metric and the matchers of a selector.
    pub fn selects(&self) -> Option<(&str, &[Match])> {
        match &self.part {
            Part::Selector { metric, matchers, .. } => Some((metric, matchers)),
            _ => None,
        }
    }

    /// Without brackets around it.
    pub fn bare(&self) -> &Self {
        match &self.part {
            Part::Brackets(of) => of.bare(),
            _ => self,
        }
    }

    /// The function with one of these names that this is.
    pub fn call(&self, names: &[&str]) -> Option<&[Self]> {
        match &self.part {
            Part::Call { name, args } if names.contains(&name.as_str()) => Some(args),
            _ => None,
        }
    }

    /// The number that this is, with its sign.
    pub fn number(&self) -> Option<f64> {
        match &self.part {
            Part::Number(it) => Some(*it),
            Part::Brackets(of) => of.number(),
            Part::Signed(of) => of.number().map(|it| -it),
            _ => None,
        }
    }

    /// Whether it gives series, and not one number for all.
    pub fn is_vector(&self) -> bool {
        match &self.part {
            Part::Number(_) | Part::Text(_) => false,
            Part::Selector { .. } | Part::Aggregation { .. } | Part::Ranged { .. } => true,
            Part::Call { name, .. } => !["time", "scalar", "pi"].contains(&name.as_str()),
            Part::Binary { sides, .. } => sides.iter().any(Self::is_vector),
            Part::Shifted(of) | Part::Signed(of) | Part::Brackets(of) => of.is_vector(),
        }
    }

    /// The labels of what it gives.
    pub fn kept(&self) -> Kept {
        let any = || Kept::Not(Vec::new());
        match &self.part {
            Part::Number(_) | Part::Text(_) => Kept::Only(Vec::new()),
            Part::Selector { .. } => any(),
            Part::Ranged { of, .. } | Part::Shifted(of) | Part::Signed(of) | Part::Brackets(of) => of.kept(),
            Part::Call { name, args } => kept_by_call(name, args),
            Part::Aggregation { name, grouping, args } => {
                let Some(inner) = args.last() else { return any() };
                if ["topk", "bottomk", "limitk", "limit_ratio"].contains(&name.as_str()) {
                    return inner.kept();
                }
                let kept = match grouping {
                    None => Kept::Only(Vec::new()),
                    Some(it) if it.keyword == "without" => inner.kept().without(&it.names),
                    Some(it) => {
                        let inner = inner.kept();
                        Kept::Only(it.names.iter().map(|(it, _)| it.clone()).filter(|it| inner.has(it)).collect())
                    }
                };
                match (name.as_str(), args.first().map(|it| &it.part)) {
                    ("count_values", Some(Part::Text(label))) => kept.and(label),
                    _ => kept,
                }
            }
            Part::Binary { sign, matching, group, sides, .. } => {
                let [left, right] = &**sides;
                let (one, other) = match (left.is_vector(), right.is_vector(), sign.as_str()) {
                    (true, false, _) | (_, _, "and" | "unless") => return left.kept(),
                    (false, true, _) => return right.kept(),
                    (_, _, "or") => return left.kept().or(right.kept()),
                    _ if group.as_ref().is_some_and(|it| it.keyword == "group_right") => (right, left),
                    _ => (left, right),
                };
                if let Some(group) = group {
                    let more = group.names.iter().map(|(it, _)| it).filter(|it| other.kept().has(it));
                    return more.fold(one.kept(), |kept, it| kept.and(it));
                }
                match matching {
                    Some(it) if it.keyword == "on" => {
                        let kept = one.kept();
                        Kept::Only(it.names.iter().map(|(it, _)| it.clone()).filter(|it| kept.has(it)).collect())
                    }
                    Some(it) => one.kept().without(&it.names),
                    None => one.kept(),
                }
            }
        }
    }
}

fn kept_by_call(name: &str, args: &[Tree]) -> Kept {
    let text = |index: usize| match args.get(index).map(|it| &it.part) {
        Some(Part::Text(text)) => text.as_str(),
        _ => "",
    };
    match name {
        "vector" | "time" | "pi" | "scalar" => Kept::Only(Vec::new()),
        // What is absent has the labels that were asked for by `=`.
        "absent" | "absent_over_time" => match args.first().map(|it| &it.selector().part) {
            Some(Part::Selector { matchers, .. }) => {
                let equal = |it: &&Match| {
                    it.sign == "=" && !matchers.iter().any(|other| other.label == it.label && other != *it)
                };
                Kept::Only(matchers.iter().filter(equal).map(|it| it.label.clone()).collect())
            }
            _ => Kept::Only(Vec::new()),
        },
        "label_replace" | "label_join" => args.first().map_or(Kept::Not(Vec::new()), Tree::kept).and(text(1)),
        "histogram_quantile" | "histogram_fraction" => {
            let le = [("le".to_owned(), Range::default())];
            args.last().map_or(Kept::Not(Vec::new()), |it| it.kept().without(&le))
        }
        // `info()` adds labels that only the data know.
        "info" => Kept::Not(Vec::new()),
        // `hour()` and its like without an argument.
        _ => args.iter().find(|it| it.is_vector()).map_or(Kept::Only(Vec::new()), Tree::kept),
    }
}

impl Tree {
    /// What stands behind ranges, shifts and brackets.
    pub fn selector(&self) -> &Self {
        match &self.part {
            Part::Ranged { of, .. } | Part::Shifted(of) | Part::Brackets(of) => of.selector(),
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::tree;

    #[test]
    fn labels_that_are_left_are_known() {
        for (text, has, lacks) in [
            ("up", "job", ""),
            ("sum by (a) (up)", "a", "job"),
            ("sum(up) by (a) > 1", "a", "job"),
            ("sum without (a) (up)", "job", "a"),
            ("max(sum by (a) (up)) or b", "a", ""),
            ("max(up) or min by (b) (up)", "b", "a"),
            ("absent(up{a=\"1\",b=~\"x|y\"})", "a", "b"),
            ("label_replace(sum(up), \"c\", \"$1\", \"\", \"\")", "c", "a"),
            ("a / on (b) c", "b", "a"),
            ("a * on (b) group_left (d) sum by (b, d) (c)", "d", ""),
            ("sum by (a) (x) * on (a) group_left (d) sum by (a) (c)", "a", "d"),
            ("histogram_quantile(0.9, sum by (le, a) (rate(x[5m])))", "a", "le"),
            ("count_values(\"v\", up)", "v", "a"),
            ("topk(1, sum by (a) (up))", "a", "b"),
            ("sum by (a) (up) and on (a) b", "a", "b"),
            ("1 - sum by (a) (up)", "a", "b"),
            ("sum_over_time(sum by (a) (up)[1h:])", "a", "b"),
        ] {
            let kept = tree(text).unwrap().kept();
            assert!(kept.has(has), "{text}: {kept:?}");
            assert!(lacks.is_empty() || !kept.has(lacks), "{text}: {kept:?}");
        }
    }

    #[test]
    fn every_part_knows_its_place() {
        let text = "sum by (a) (rate(x{b=~\"c\", d!='e\\'f'}[$window])) / -2 ^ 2";
        let tree = tree(text).unwrap();
        let slice = |range: Range| &text[range.start..range.end];
        let heads: Vec<&str> = tree.all().iter().map(|it| slice(it.head)).collect();
        assert_eq!(heads, ["/", "sum", "rate", "[", "x", "-", "^", "2", "2"]);
        let Part::Selector { matchers, .. } = &tree.all()[4].part else { panic!("a selector") };
        assert_eq!((slice(matchers[0].range), slice(matchers[0].sign_at)), ("b=~\"c\"", "=~"));
        assert_eq!((matchers[1].value.as_str(), slice(matchers[1].value_at)), ("e'f", "'e\\'f'"));
        assert_eq!(slice(tree.all()[1].range), "sum by (a) (rate(x{b=~\"c\", d!='e\\'f'}[$window]))");
    }
}
