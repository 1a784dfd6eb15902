// npm i exceljs@4.4.0 xlsx@0.18.5 xlsx-populate@1.21.0, then node make.mjs
import E from 'exceljs'; import X from 'xlsx'; import P from 'xlsx-populate'
const H=['Username','Description','User licenses','Date to','Email','Mobile','MFA requires']
const day=new Date(Date.UTC(2031,11,31))
const rows=[['kim','Kim <&> "q"\u00a0','FULL',day,'kim@example.com',7911123456,true],[],['sam ','Sam','NOPE','31/12/2026','no address','0007',0],['pat','Pat','TEAM',null,'pat@example.com']]
{ const w=new E.Workbook(), s=w.addWorksheet('Joiners',{views:[{state:'frozen',ySplit:1}]}); s.addRow(H); rows.forEach(r=>s.addRow(r)); s.getColumn(4).numFmt='[$-809]d mmmm yyyy;@'
  s.getCell('B4').value={richText:[{font:{bold:true},text:'Sa'},{text:'m'}]}; s.getCell('B5').value={formula:'A5',result:'Pat'}; s.getCell('E5').value={text:'pat@example.com',hyperlink:'mailto:pat@example.com'}
  s.getCell('C4').note='a note of mine'; s.getCell('A5').note={texts:[{font:{bold:true},text:'rich '},{text:'note'}]}
  s.getCell('C4').fill={type:'pattern',pattern:'solid',fgColor:{argb:'FFFFFF00'}}; s.getCell('E4').font={italic:true}; s.getCell('C5').dataValidation={type:'list',allowBlank:true,formulae:['"FULL,TEAM"']}
  s.addConditionalFormatting({ref:'A2:A9',rules:[{type:'expression',formulae:['MOD(ROW(),2)=0'],style:{fill:{type:'pattern',pattern:'solid',bgColor:{argb:'FF00FF00'}}}}]}); s.getRow(5).hidden=true
  s.addImage(w.addImage({base64:'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',extension:'png'}),'L1:M3'); w.addWorksheet('Notes').getCell('A1').note='not read'; await w.xlsx.writeFile('exceljs.xlsx') }
{ const w=new E.Workbook(); w.properties.date1904=true; w.addWorksheet('Joiners').addTable({name:'T',ref:'A1',headerRow:true,columns:H.map(name=>({name,filterButton:true})),rows:rows.map(r=>H.map((_,i)=>r[i]??null))}); await w.xlsx.writeFile('exceljs-1904.xlsx') }
{ const w=X.utils.book_new(), s=X.utils.aoa_to_sheet([H,...rows],{cellDates:true,UTC:true}); s.C4.c=[{a:'Me',t:'a note of mine'}]; s['!autofilter']={ref:'A1:G5'}; X.utils.book_append_sheet(w,s,'Joiners'); X.utils.book_append_sheet(w,X.utils.aoa_to_sheet([[1]]),'Notes'); X.writeFile(w,'sheetjs.xlsx',{bookSST:true,compression:true}) }
{ const w=await P.fromBlankAsync(), s=w.sheet(0); s.cell('A1').value([H,...rows.map(r=>H.map((_,i)=>r[i]??null))]); s.cell('D2').value(day).style('numberFormat','dd/mm/yyyy'); s.cell('C4').style({fill:'ffff00',bold:true}); s.cell('C5').dataValidation({type:'list',allowBlank:true,formula1:'"FULL,TEAM"'}); w.addSheet('Notes'); await w.toFileAsync('xlsx-populate.xlsx') }
