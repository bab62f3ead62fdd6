"""The service described for programs (OpenAPI 3.1); /api.html shows it to people."""

from typing import Any

from posec3d_jax.server.service import Limits

Json = dict[str, Any]
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_REASONS = {
    "400": "The body is no JSON, is empty, or did not come whole.",
    "401": "The token is missing or wrong.",
    "408": "The body took too long to come.",
    "413": "The body is too long.",
    "421": "The Host header names another machine.",
    "422": "The clip, video or picture is not one that is taken; the reason says why.",
    "501": "This service has no pose estimator, or its network no volume; says what to do.",
    "503": "Too many requests at once; Retry-After says when to come again.",
    "507": "There is no room on the disk.",
}
_EVENT = {
    "start": {"type": "number", "description": "seconds"},
    "end": {"type": "number", "description": "seconds"},
    "person": {"type": ["integer", "null"], "description": "number of the person, from 0"},
    "label": {"type": "integer"},
    "class": {"type": "string"},
    "score": {"type": "number", "description": "mean probability"},
}


def describe(about: Json, limits: Limits) -> Json:
    """The document of the service for that model."""
    clip = _clip(len(about["joints"]))
    return {
        "openapi": "3.1.0",
        "info": {"title": f"posec3d_jax: {about['name']}", "version": "1"},
        "paths": {
            "/v1/recognise": {"post": _recognise(about, clip, limits)},
            "/v1/videos": {"post": _videos(limits)},
            "/v1/poses": {"post": _poses(limits)},
            "/v1/volume": {"post": _volume(clip, limits)},
            "/v1/model": {"get": _simple("Classes, joints and limbs of the network")},
            "/v1/clips": {"get": _simple("Names of the built-in clips")},
            "/v1/clips/{name}": {
                "get": _simple("A built-in clip, as /v1/recognise takes it")
                | {"parameters": [_parameter("name", "path", {"type": "string"}, "Of the clip.")]}
            },
            "/health": {"get": _simple("Whether the service is up, and what waits")},
            "/metrics": {"get": _simple("Figures, as Prometheus reads them", "text/plain")},
        },
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _recognise(about: Json, clip: Json, limits: Limits) -> Json:
    named = _object({"name": {"type": "string"}, "probability": {"type": "number"}})
    answer = {
        "label": {"type": "integer"},
        "name": {"type": "string", "enum": about["classes"]},
        "classes": {"type": "array", "items": named},
        "warnings": {"type": "array", "items": {"type": "string"}},
    }
    return _post(
        "What is done in a clip of keypoints",
        f"Bodies may have {limits.body:,} bytes.",
        _json(clip),
        _json(_object(answer)),
    )


def _videos(limits: Limits) -> Json:
    """Of the address that takes videos."""
    number, flag = {"type": "number"}, {"type": "boolean", "default": False}
    parameters = [
        _parameter("window", "query", number | {"default": 2}, "Seconds of one label."),
        _parameter("step", "query", number | {"default": 0.5}, "Seconds between windows."),
        _parameter("whole", "query", flag, "Everybody together instead of person by person."),
        _parameter("details", "query", flag, "Every frame's poses and every window, too."),
    ]
    whole = {"events": {"type": "array", "items": _object(_EVENT)}}
    whole |= {name: {"type": "number"} for name in ("duration", "rate", "frames_seen", "seconds")}
    line = {"oneOf": [_object({k: {"type": "object"}}) for k in ("video", "frame", "window",
            "event", "end")] + [_ERROR]}  # fmt: skip
    answers = _json(_object(whole)) | {"application/x-ndjson": {"schema": line}}
    text = (
        f"The body is the video's bytes, at most {limits.video:,}, of at most "
        f"{limits.bounds.duration:g} seconds. Events come at the end as JSON, or, with the header "
        "Accept: application/x-ndjson, as lines as soon as they are over; its last line is `end` "
        "or `error`."
    )
    body = {"application/octet-stream": {}}
    return _post("Who does what in a video", text, body, answers) | {"parameters": parameters}


def _poses(limits: Limits) -> Json:
    sides = {"type": "integer", "minimum": 16, "maximum": 1280}
    parameters = [
        _parameter(name, "query", sides, "Pixels.", required=True) for name in ("width", "height")
    ]
    person = _object({"keypoint": {"type": "array"}, "score": {"type": "array"}})
    answer = {"persons": {"type": "array", "items": person}, "joints": {"type": "array"}}
    text = f"The body is raw pixels, row by row, RGBA; at most {limits.body:,} bytes."
    body = {"application/octet-stream": {}}
    found = _json(_object(answer))
    return _post("Who is in a picture", text, body, found) | {"parameters": parameters}


def _volume(clip: Json, limits: Limits) -> Json:
    answer = {
        "shape": {"type": "array", "description": "[T, H, W, C]"},
        "voxels": {"type": "array", "description": "t, y, x, c, brightness 0 to 255; and again"},
    }
    text = f"Its voxels that are not dark. Bodies may have {limits.body:,} bytes."
    return _post("What the network is shown of a clip", text, _json(clip), _json(_object(answer)))


def _clip(joints: int) -> Json:
    """The schema of a clip of keypoints."""
    point = {"type": "array", "items": {"type": ["number", "null"]}, "minItems": 2, "maxItems": 2}
    score = {"type": "number", "minimum": 0, "maximum": 1}
    where = "[persons][frames][joints][x, y] in pixels; missing joints are [0, 0] or null."
    sides = {"type": "number", "exclusiveMinimum": 0}
    properties = {
        "keypoint": _nested(point, joints, where),
        "score": _nested(score, joints, "[persons][frames][joints]"),
        "frame_size": {"type": "array", "items": sides, "minItems": 2, "maxItems": 2,
                       "description": "[height, width] in pixels"},
        "top": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 5},
    }  # fmt: skip
    closed = {"additionalProperties": False, "required": ["keypoint", "frame_size"]}
    return _object(properties) | closed


def _post(summary: str, text: str, body: Json, found: Json) -> Json:
    reasons = {
        code: {"description": reason, "content": _json(_ERROR)} for code, reason in _REASONS.items()
    }
    return {
        "summary": summary,
        "description": text,
        "requestBody": {"required": True, "content": body},
        "responses": {"200": {"description": "Found.", "content": found}} | reasons,
        "security": [{}, {"token": []}],
    }


def _simple(summary: str, kind: str = "application/json") -> Json:
    answer = {"description": summary, "content": {kind: {}}}
    return {"summary": summary, "responses": {"200": answer}}


def _parameter(name: str, where: str, schema: Json, text: str, required: bool = False) -> Json:
    required = required or where == "path"
    return {"name": name, "in": where, "schema": schema, "description": text, "required": required}


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _nested(item: Json, joints: int, text: str) -> Json:
    """[persons][frames][joints] of `item`."""
    frame = {"type": "array", "items": item, "minItems": joints, "maxItems": joints}
    person = {"type": "array", "items": frame, "minItems": 1}
    return {"type": "array", "items": person, "minItems": 1, "description": text}
