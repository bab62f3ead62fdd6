"""The service described for programs (OpenAPI 3.1)."""

from typing import Any

_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_REASONS = {
    "400": "The body is no JSON, or did not come whole.",
    "401": "The token is missing or wrong.",
    "408": "The body took too long to come.",
    "413": "The body is too long.",
    "421": "The Host header names another machine.",
    "422": "The clip is not one that the network takes; the reason says why.",
    "503": "Too many clips at once; Retry-After says when to come again.",
}


def describe(about: dict[str, Any], limits) -> dict[str, Any]:
    """The document of the service for that model."""
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    clip = _simple("A built-in clip, as /v1/recognise takes it") | {"parameters": [name]}
    metrics = {
        "summary": "Figures, as Prometheus reads them",
        "responses": {"200": {"description": "Text", "content": {"text/plain": {}}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"posec3d_jax: {about['name']}", "version": "1"},
        "paths": {
            "/v1/recognise": {"post": _recognise(about, limits)},
            "/v1/model": {"get": _simple("Classes, joints and limbs of the network")},
            "/v1/clips": {"get": _simple("Names of the built-in clips")},
            "/v1/clips/{name}": {"get": clip},
            "/health": {"get": _simple("Whether the service is up")},
            "/metrics": {"get": metrics},
        },
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _recognise(about: dict[str, Any], limits) -> dict[str, Any]:
    reasons = {
        code: {"description": text, "content": _json(_ERROR)} for code, text in _REASONS.items()
    }
    found = {"200": {"description": "The classes.", "content": _json(_answer(about["classes"]))}}
    return {
        "summary": "What is done in a clip of keypoints",
        "description": f"Bodies may have {limits.body:,} bytes.",
        "requestBody": {"required": True, "content": _json(_clip(len(about["joints"])))},
        "responses": found | reasons,
        "security": [{}, {"token": []}],
    }


def _clip(joints: int) -> dict[str, Any]:
    """The schema of a clip of keypoints."""
    point = {"type": "array", "items": {"type": ["number", "null"]}, "minItems": 2, "maxItems": 2}
    score = {"type": "number", "minimum": 0, "maximum": 1}
    where = "[persons][frames][joints][x, y] in pixels; missing joints are [0, 0] or null."
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["keypoint", "frame_size"],
        "properties": {
            "keypoint": _nested(point, joints, where),
            "score": _nested(score, joints, "[persons][frames][joints]"),
            "frame_size": {
                "type": "array",
                "items": {"type": "number", "exclusiveMinimum": 0},
                "minItems": 2,
                "maxItems": 2,
                "description": "[height, width] in pixels",
            },
            "top": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 5},
        },
    }


def _answer(classes: list[str]) -> dict[str, Any]:
    """The schema of what was recognised."""
    properties = {"name": {"type": "string"}, "probability": {"type": "number"}}
    named = {"type": "object", "properties": properties}
    return {
        "type": "object",
        "properties": {
            "label": {"type": "integer"},
            "name": {"type": "string", "enum": classes},
            "classes": {"type": "array", "items": named},
            "warnings": {"type": "array", "items": {"type": "string"}},
        },
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _simple(summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {"200": {"description": summary, "content": {"application/json": {}}}},
    }


def _nested(item: dict[str, Any], joints: int, text: str) -> dict[str, Any]:
    """[persons][frames][joints] of `item`."""
    frame = {"type": "array", "items": item, "minItems": joints, "maxItems": joints}
    person = {"type": "array", "items": frame, "minItems": 1}
    return {"type": "array", "items": person, "minItems": 1, "description": text}
