// Shows openapi.json to people: each address, what it takes and what it answers.

const made = (kind, text = "", name = "") => {
  const element = document.createElement(kind);
  element.textContent = text;
  if (name) element.className = name;
  return element;
};

// A schema as an example of itself.
function example(schema) {
  if (!schema) return "…";
  if (schema.oneOf) return schema.oneOf.map(example);
  if (schema.properties) return Object.fromEntries(Object.entries(schema.properties).map(([k, v]) => [k, example(v)]));
  if (schema.description && schema.type === "array") return schema.description;
  if (schema.items) return [example(schema.items)];
  return schema.description ?? [schema.type].flat().join(" or ");
}

function bodies(title, content) {
  return Object.entries(content ?? {}).flatMap(([kind, { schema }]) => [
    made("h3", `${title}: ${kind}`),
    ...(schema ? [made("pre", JSON.stringify(example(schema), null, 2))] : []),
  ]);
}

function address(path, method, about) {
  const section = made("section");
  const heading = made("h2", `${path} `);
  heading.append(made("span", method.toUpperCase(), "method"));
  section.append(heading, made("p", `${about.summary}. ${about.description ?? ""}`));
  if (about.parameters) {
    const list = made("ul");
    for (const { name, description, schema, required } of about.parameters) {
      const usual = schema.default === undefined ? "" : ` Usually ${schema.default}.`;
      list.append(made("li", `${name}: ${description}${usual}${required ? " Required." : ""}`));
    }
    section.append(made("h3", "Parameters"), list);
  }
  section.append(...bodies("Takes", about.requestBody?.content), ...bodies("Answers", about.responses[200].content));
  const reasons = Object.entries(about.responses).filter(([status]) => status !== "200");
  if (reasons.length) {
    const list = made("ul");
    for (const [status, { description }] of reasons) list.append(made("li", `${status}: ${description}`));
    section.append(made("h3", "Refuses, with a reason in `error`"), list);
  }
  return section;
}

try {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`);
  const { info, paths } = await answer.json();
  document.getElementById("title").textContent = info.title;
  const sections = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, about]) => address(path, method, about)),
  );
  document.getElementById("paths").replaceChildren(...sections);
} catch (error) {
  document.getElementById("paths").replaceChildren(made("p", `The description cannot be read: ${error.message}`));
}
