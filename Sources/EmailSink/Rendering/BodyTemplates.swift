import Mustache

/// The bodies of every mail: plain text and HTML over the same fields, which `EmailRenderer` makes.
struct BodyTemplates: Sendable {
  private let text: MustacheTemplate
  private let html: MustacheTemplate

  /// Compiles both.
  ///
  /// - Throws: `MustacheTemplate.Error` if one of them is broken.
  init() throws {
    MustacheContentTypes.register(HTMLText(), named: HTMLText.name)
    text = try MustacheTemplate(string: Self.textSource)
    html = try MustacheTemplate(string: Self.htmlSource)
  }

  /// The bodies with these fields.
  func render(_ fields: [String: Any]) -> (text: String, html: String) {
    (text.render(fields), html.render(fields))
  }

  private static let textSource = """
    {{% CONTENT_TYPE:TEXT}}
    {{#heading}}
    {{.}}

    {{/heading}}
    {{#items}}
    {{bullet}}{{title}}
    {{#byline}}
    {{indent}}{{.}}
    {{/byline}}
    {{#link}}
    {{indent}}{{.}}
    {{/link}}

    {{/items}}
    {{#more}}
    ... and {{.}} more.

    {{/more}}
    --\u{20}
    You receive this as {{recipient}}.{{#category}} Category: {{.}}{{/category}}
    {{#unsubscribe}}
    Unsubscribe: {{.}}
    {{/unsubscribe}}

    """

  private static let htmlSource = """
    {{% CONTENT_TYPE:TIDINGS_HTML}}
    <!DOCTYPE html>
    <html>
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{{subject}}</title>
    </head>
    <body style="margin:0;padding:24px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;\
    font-size:16px;line-height:1.45">
    <div style="max-width:600px;margin:0 auto">
    {{#heading}}
    <h1 style="font-size:20px;margin:0 0 16px">{{.}}</h1>
    {{/heading}}
    {{#items}}
    <div style="padding:12px 0;border-top:1px solid #8884">
    <div style="font-weight:600">\
    {{#link}}<a href="{{link}}" style="color:#2563eb;text-decoration:none">{{title}}</a>{{/link}}\
    {{^link}}{{title}}{{/link}}</div>
    {{#byline}}
    <div style="font-size:14px;color:#888">{{.}}</div>
    {{/byline}}
    </div>
    {{/items}}
    {{#more}}
    <p>… and {{.}} more.</p>
    {{/more}}
    <p style="margin-top:24px;padding-top:12px;border-top:1px solid #8884;font-size:13px;color:#888">\
    You receive this as {{recipient}}.{{#category}} Category: {{.}}{{/category}}\
    {{#unsubscribe}} · <a href="{{.}}" style="color:inherit">Unsubscribe</a>{{/unsubscribe}}</p>
    </div>
    </body>
    </html>

    """
}
