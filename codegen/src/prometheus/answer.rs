//! Answers to queries, typed.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

use super::Labels;

/// What was asked for, and what the server has to say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// What was asked for.
    pub data: T,
    /// The answer may be wrong: a store of Thanos was not there, a rate is of no counter.
    pub warnings: Vec<String>,
    /// Hints about the query.
    pub infos: Vec<String>,
}

impl<T> Answer<T> {
    pub(super) fn map<U>(self, make: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { data: make(self.data), warnings: self.warnings, infos: self.infos }
    }

    pub(super) fn try_map<U, E>(self, make: impl FnOnce(T) -> Result<U, E>) -> Result<Answer<U>, E> {
        Ok(Answer { data: make(self.data)?, warnings: self.warnings, infos: self.infos })
    }
}

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Milliseconds since 1970.
    pub at: i64,
    /// May be NaN or infinite.
    pub value: f64,
}

/// A series at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: Labels,
    /// Its value.
    pub point: Point,
}

/// A series over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// Its values, oldest first.
    pub points: Vec<Point>,
}

/// Result of a query. Native histograms have no value that could be compared, and are left out, as rules leave them out.
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum Data {
    Vector(Vec<SampleJson>),
    Matrix(Vec<SeriesJson>),
    Scalar(Point),
    String(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
pub(super) struct SampleJson {
    #[serde(default)]
    metric: Labels,
    value: Option<Point>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SeriesJson {
    #[serde(default)]
    metric: Labels,
    #[serde(default)]
    values: Vec<Point>,
}

impl Data {
    pub(super) fn into_samples(self) -> Result<Vec<Sample>, String> {
        let sample = |it: SampleJson| Some(Sample { labels: it.metric, point: it.value? });
        match self {
            Data::Vector(all) => Ok(all.into_iter().filter_map(sample).collect()),
            Data::Scalar(point) => Ok(vec![Sample { labels: Labels::new(), point }]),
            Data::Matrix(_) => Err("a matrix where a vector was expected".to_owned()),
            Data::String(_) => Err("a text where a vector was expected".to_owned()),
        }
    }

    pub(super) fn into_series(self) -> Result<Vec<Series>, String> {
        match self {
            Data::Matrix(all) => {
                let series = all.into_iter().map(|it| Series { labels: it.metric, points: it.values });
                Ok(series.filter(|it| !it.points.is_empty()).collect())
            }
            _ => Err("no matrix where one was expected".to_owned()),
        }
    }
}

/// `[1700000000.123, "1.5"]`, without an allocation: a matrix has millions.
impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Point;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time and a value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Point, A::Error> {
                let missing = || A::Error::custom("a time without a value");
                let at = millis(all.next_element()?.ok_or_else(missing)?);
                let Number(value) = all.next_element()?.ok_or_else(missing)?;
                all.next_element::<serde::de::IgnoredAny>()?.map_or(Ok(()), |_| Err(missing()))?;
                Ok(Point { at, value })
            }
        }
        from.deserialize_seq(Pair)
    }
}

/// A number as Prometheus writes it in a text: `1.5`, `NaN`, `+Inf`.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number in quotes")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(E::custom)
            }
        }
        from.deserialize_str(Text)
    }
}

/// Seconds with a fraction, as the whole milliseconds that they stand for.
#[expect(clippy::cast_possible_truncation, reason = "what is out of range becomes the end of the range")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str) -> Result<Data, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn vectors_matrices_and_scalars_are_read_to_the_millisecond() {
        let text = r#"{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1700000000.123,"+Inf"]},{"metric":{},"histogram":[1,{"count":"1"}]}]}"#;
        let samples = data(text).unwrap().into_samples().unwrap();
        assert_eq!(samples.len(), 1, "a histogram has no value");
        assert_eq!(samples[0].point, Point { at: 1_700_000_000_123, value: f64::INFINITY });
        assert_eq!(samples[0].labels["a"], "b");
        let text = r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1.5,"1"],[2,"NaN"]]},{"metric":{},"histograms":[]}]}"#;
        let series = data(text).unwrap().into_series().unwrap();
        assert_eq!((series.len(), series[0].points[0].at), (1, 1_500));
        assert!(series[0].points[1].value.is_nan());
        let scalar = data(r#"{"resultType":"scalar","result":[3,"4e-3"]}"#).unwrap().into_samples().unwrap();
        assert_eq!(scalar[0].point, Point { at: 3_000, value: 0.004 });
    }

    #[test]
    fn what_is_no_result_is_an_error() {
        for text in [
            r#"{"resultType":"vector","result":[{"value":[1]}]}"#,
            r#"{"resultType":"vector","result":[{"value":[1,2]}]}"#,
            r#"{"resultType":"vector","result":[{"value":[1,"x"]}]}"#,
            r#"{"resultType":"vector","result":[{"value":[1,"2",3]}]}"#,
            r#"{"resultType":"vector","result":{}}"#,
            r#"{"resultType":"cube","result":[]}"#,
            "[]",
            "null",
        ] {
            assert!(data(text).is_err(), "{text}");
        }
        let huge = data(r#"{"resultType":"scalar","result":[1e300,"1"]}"#).unwrap().into_samples().unwrap();
        assert_eq!(huge[0].point.at, i64::MAX);
        assert!(data(r#"{"resultType":"matrix","result":[]}"#).unwrap().into_samples().is_err());
        assert!(data(r#"{"resultType":"string","result":[1,"x"]}"#).unwrap().into_samples().is_err());
    }
}
