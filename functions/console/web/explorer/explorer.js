// The explorer of the API: Swagger UI with search over operations, samples in four languages, and requests by the
// console's session or by a token.

const headersOf = (request) =>
  [...(request.get('headers') ?? new Map()).entries()].filter(([name]) => name !== 'X-UA-Client')
const bodyOf = (request) => {
  const body = request.get('body')
  if (body === undefined || body === null || body === '') return ''
  return typeof body === 'string' ? body : JSON.stringify(body.toJS ? body.toJS() : body, null, 2)
}

const go = (request) => {
  const body = bodyOf(request)
  return [
    `req, err := http.NewRequest("${request.get('method')}", ${JSON.stringify(request.get('url'))}, ` +
      `${body ? `strings.NewReader(${JSON.stringify(body)})` : 'nil'})`,
    'if err != nil {\n\treturn err\n}',
    ...headersOf(request).map(([name, value]) => `req.Header.Set(${JSON.stringify(name)}, ${JSON.stringify(value)})`),
    'res, err := http.DefaultClient.Do(req)',
    'if err != nil {\n\treturn err\n}',
    'defer res.Body.Close()',
  ].join('\n')
}

const typescript = (request) => {
  const body = bodyOf(request)
  return [
    `const response = await fetch(${JSON.stringify(request.get('url'))}, {`,
    `  method: '${request.get('method')}',`,
    `  headers: ${JSON.stringify(Object.fromEntries(headersOf(request)))},`,
    ...(body ? [`  body: JSON.stringify(${body}),`] : []),
    '})',
    'const answer = await response.json()',
  ].join('\n')
}

const python = (request) => {
  const body = bodyOf(request)
  return [
    'import requests',
    '',
    `response = requests.request("${request.get('method')}", ${JSON.stringify(request.get('url'))},`,
    `    headers=${JSON.stringify(Object.fromEntries(headersOf(request)))},`,
    ...(body ? [`    data=${JSON.stringify(body)},`] : []),
    ')',
    'response.raise_for_status()',
  ].join('\n')
}

/** Finds operations by words in their path, name and summary. Swagger UI itself finds tags only. */
const search = () => ({
  fn: {
    opsFilter: (tags, phrase) => {
      const words = phrase.toLowerCase().split(/\s+/).filter(Boolean)
      const matches = (op) => {
        const operation = op.get('operation')
        const text = [op.get('method'), op.get('path'), operation.get('operationId'), operation.get('summary')]
          .join(' ')
          .toLowerCase()
        return words.every((word) => text.includes(word))
      }
      return tags
        .map((tag) => tag.update('operations', (operations) => operations.filter(matches)))
        .filter((tag) => tag.get('operations').size > 0)
    },
  },
})

const samples = () => ({
  fn: {
    requestSnippetGenerator_go: go,
    requestSnippetGenerator_typescript: typescript,
    requestSnippetGenerator_python: python,
  },
})

globalThis.SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#explorer',
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  persistAuthorization: false,
  displayRequestDuration: true,
  plugins: [search, samples],
  requestSnippetsEnabled: true,
  requestSnippets: {
    generators: {
      curl_bash: { title: 'curl', syntax: 'bash' },
      go: { title: 'Go', syntax: 'go' },
      typescript: { title: 'TypeScript', syntax: 'javascript' },
      python: { title: 'Python', syntax: 'python' },
    },
    defaultExpanded: true,
    languages: null,
  },
  // Without a token of its own a request goes by the console's session, which takes this header.
  requestInterceptor: (request) => {
    if (!request.headers.Authorization) request.headers['X-UA-Client'] = 'web'
    return request
  },
})
