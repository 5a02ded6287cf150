"""A trainer with scikit-learn: hashed n-grams and linear models, seconds on a laptop.

The corpora of a job share one feature weighting: the singular vectors of all their training texts together. So
a partner changes what the target's classifier sees, and nothing else.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MultiLabelBinarizer, normalize

WINDOW = 2  # tokens on each side of the one that is tagged


def rows_of(path: str) -> list[dict]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def texts_of(row: dict) -> list[str]:
    """The texts to classify: one per row, and for tagging one per token, with its neighbors."""
    if "tokens" in row:
        padded = [""] * WINDOW + [token.lower() for token in row["tokens"]] + [""] * WINDOW
        return [
            " ".join(f"{place}_{token}" for place, token in enumerate(padded[i : i + 2 * WINDOW + 1]) if token)
            for i in range(len(row["tokens"]))
        ]
    return [row["text"]] if "text" in row else [overlap(row["text_a"], row["text_b"])]


def overlap(a: str, b: str) -> str:
    """A pair as one text: words of either side, and words that both have."""
    left, right = a.lower().split(), b.lower().split()
    both = [f"both_{word}" for word in sorted(set(left) & set(right))]
    return " ".join([*(f"a_{w}" for w in left), *(f"b_{w}" for w in right), *both])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("job", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    job = json.loads(asked.job.read_text(encoding="utf-8"))
    settings = job["settings"]
    hashed = HashingVectorizer(n_features=2**16, ngram_range=(1, 2), alternate_sign=False)

    train = {c["name"]: rows_of(c["train"]) for c in job["corpora"]}
    everything = [text for rows in train.values() for row in rows for text in texts_of(row)]
    shared = TruncatedSVD(settings.get("dimensions", 50), random_state=job["seed"]).fit(hashed.transform(everything))

    def features(texts: list[str]) -> np.ndarray:
        return normalize(shared.transform(hashed.transform(texts)))

    (asked.out / "predictions").mkdir()
    for corpus in job["corpora"]:
        rows, tested = train[corpus["name"]], rows_of(corpus["test"])
        # a bootstrap sample of the corpus's own seed: the same one whatever the partners are
        draw = np.random.default_rng(corpus["seed"]).integers(len(rows), size=len(rows))
        rows = [rows[i] for i in draw]
        inputs = features([text for row in rows for text in texts_of(row)])
        predict = PREDICT[corpus["kind"]](inputs, rows, corpus, settings)
        with open(asked.out / "predictions" / f"{corpus['name']}.jsonl", "w", encoding="utf-8") as file:
            for row in tested:
                print(json.dumps({"id": row["id"], "predicted": predict(features(texts_of(row)))}), file=file)


def classifier(inputs, labels, settings):
    if len(set(labels)) == 1:
        return lambda texts: [labels[0]] * len(texts)
    fitted = LogisticRegression(C=settings.get("c", 10.0), max_iter=500).fit(inputs, labels)
    return lambda texts: [str(label) for label in fitted.predict(texts)]


def classification(inputs, rows, corpus, settings):
    predict = classifier(inputs, [row["label"] for row in rows], settings)
    return lambda texts: predict(texts)[0]


def tagging(inputs, rows, corpus, settings):
    return classifier(inputs, [tag for row in rows for tag in row["tags"]], settings)


def similarity(inputs, rows, corpus, settings):
    fitted = Ridge(alpha=1.0).fit(inputs, [row["score"] for row in rows])
    return lambda texts: float(fitted.predict(texts)[0])


def multilabel(inputs, rows, corpus, settings):
    labels = MultiLabelBinarizer(classes=corpus["labels"])
    fitted = OneVsRestClassifier(LogisticRegression(C=settings.get("c", 10.0), max_iter=500))
    fitted.fit(inputs, labels.fit_transform([row["labels"] for row in rows]))
    return lambda texts: [str(label) for label in labels.inverse_transform(fitted.predict(texts))[0]]


PREDICT = {
    "classification": classification,
    "tagging": tagging,
    "similarity": similarity,
    "multilabel": multilabel,
}

if __name__ == "__main__":
    main()
